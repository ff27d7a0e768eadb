//! How a queue is read: its URL, attributes and tags, each once per run.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::attributes::{has_messages, size_beside, spec_of, used_queues};
use super::{Outputs, Queue, Spec, Texts};
use crate::aws::key::{self, Checked, SNS_TO_QUEUE};
use crate::aws::{AwsError, OrAbsent, failed, note_of_stack};
use crate::engine::{BoxError, Change, Live, Ownership, Wanted};
use crate::environment::types::Encryption;
use crate::kinds::topic::notes_of_policy;

/// The largest page of `ListQueues`.
const PAGE_LENGTH_MAX: i32 = 1_000;

impl Queue {
    pub(super) fn made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Each use is one operation, so a panic elsewhere cannot leave the set half changed.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of all queues.
    pub(super) async fn existing(&self) -> Result<BTreeSet<String>, AwsError> {
        // Without a length, SQS gives one page and no way to the next.
        let list = self.session.sqs().list_queues().max_results(PAGE_LENGTH_MAX);
        let mut pages = list.into_paginator().send();
        let mut names = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("sqs:ListQueues", self.session.arns.region()))?;
            let urls = page.queue_urls.unwrap_or_default();
            names.extend(urls.iter().filter_map(|url| Some(url.rsplit_once('/')?.1.to_owned())));
        }
        Ok(names)
    }

    pub(super) async fn url(&self, name: &str) -> Result<Option<String>, AwsError> {
        let read = || async {
            let answer = self.session.sqs().get_queue_url().queue_name(name).send().await;
            let answer = answer.map_err(failed("sqs:GetQueueUrl", name)).or_absent()?;
            Ok(answer.and_then(|answer| answer.queue_url))
        };
        self.urls.get(name.to_owned(), read).await
    }

    pub(super) async fn tags(&self, name: &str, url: &str) -> Result<Arc<Texts>, AwsError> {
        let read = || async {
            let answer = self.session.sqs().list_queue_tags().queue_url(url).send().await;
            let answer = answer.map_err(failed("sqs:ListQueueTags", name)).or_absent()?;
            let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
            Ok(Arc::new(tags.into_iter().collect::<Texts>()))
        };
        self.tags.get(name.to_owned(), read).await
    }

    pub(super) fn forget(&self, name: &str) {
        self.urls.forget_key(&name.to_owned());
        self.tags.forget_key(&name.to_owned());
        self.session.forget_queue(name);
    }

    pub(super) async fn read_one(
        &self,
        name: &str,
        wanted: Option<Wanted<Spec>>,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Some(url) = self.url(name).await? else { return Ok(None) };
        // A deleted queue still has a URL for up to a minute, and then no attributes.
        let Some(attributes) = self.session.queue_attributes(name, &url).await? else {
            return Ok(None);
        };
        let arn = self.session.arns.queue(name);
        let tags = self.tags(name, &url).await?;
        let stack = note_of_stack(&tags);
        let (ownership, marks, tags) = self.session.owner.read(&arn, &tags);
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        if wanted.is_none() && ownership != Ownership::Ours {
            return Ok(None);
        }
        let mut spec = spec_of(&attributes, tags)?;
        let goes = wanted.as_ref().is_none_or(|wanted| wanted.aim.goes() || wanted.spec.is_none());
        let declared = wanted.and_then(|wanted| wanted.spec);
        spec.max_message_bytes = size_beside(declared.as_ref(), spec.max_message_bytes);
        let mut notes = spec.policy.as_ref().map(notes_of_policy).unwrap_or_default();
        notes.extend(stack);
        if let Encryption::Key(live) = &spec.encryption
            && let Some(Encryption::Key(declared)) = declared.as_ref().map(|spec| &spec.encryption)
            && key::is_same(&self.session, declared.as_str(), live.as_str()).await
        {
            // SQS gives back the name it was given, so one key may have another name here than in the file.
            spec.encryption = Encryption::Key(declared.clone());
            notes.extend(self.note_of_key(&spec).await);
        }
        // Counts change from one moment to the next and would make every saved plan stale, so they are looked at only where
        // they matter.
        if goes && has_messages(&attributes) {
            spec.holds_messages = true;
            notes.push("there are messages in the queue".to_owned());
        }
        Ok(Some(Live {
            name: name.to_owned(),
            uses: used_queues(&self.session.arns.queue(""), &spec),
            spec,
            outputs: Outputs { arn, url },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
            notes,
        }))
    }

    pub(super) async fn note_of_key(&self, spec: &Spec) -> Option<String> {
        match self.check_key(spec).await {
            Ok(None | Some(Checked::Allowed)) => None,
            Ok(Some(Checked::Unknown(note))) => Some(note),
            Err(problem) => Some(problem.to_string()),
        }
    }

    /// Whether SNS may use the key of a queue that topics deliver to.
    pub(super) async fn check_key(&self, spec: &Spec) -> Result<Option<Checked>, key::KeyProblem> {
        match (&spec.encryption, &spec.policy) {
            (Encryption::Key(key), Some(_)) => {
                key::check(&self.session, key.as_str(), SNS_TO_QUEUE).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) async fn refuse_wrong_key(&self, change: &Change<Spec>) -> Result<(), BoxError> {
        if change.touches("encryption") {
            self.check_key(&change.to).await?;
        }
        Ok(())
    }
}
