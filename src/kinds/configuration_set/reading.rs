//! What SES says of configuration sets, read once for the set itself, its tracking and its event destinations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::types::EventDestination;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::{AwsError, Memo, OrAbsent, Session, TagChanges, failed, if_allowed, ses_tags};
use crate::engine::{Glance, Marks, Ownership, Reading};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// One page of `ListConfigurationSets` at its largest.
const PAGE_SIZE: i32 = 1_000;
/// `GetConfigurationSet` calls under way at once. SES takes one per second anyway, so this only bounds memory.
const READS_AT_ONCE: usize = 16;

/// A configuration set as SES describes it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(super) output: GetConfigurationSetOutput,
    pub(crate) ownership: Ownership,
    pub(crate) marks: Marks,
    /// The user's tags.
    pub(super) tags: Tags,
    /// All tags, ours and AWS's included.
    pub(super) all_tags: Tags,
}

/// The configuration sets of one account and Region.
#[derive(Debug)]
pub struct Sets {
    session: Arc<Session>,
    listed: Memo<(), Arc<BTreeSet<String>>>,
    states: Memo<String, Option<Arc<State>>>,
    destinations: Memo<String, Arc<Vec<EventDestination>>>,
    /// The names that are declared.
    declared: Mutex<BTreeSet<String>>,
}

impl Sets {
    /// The sets within reach of `session`.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Arc<Self> {
        Arc::new(Self {
            listed: session.memo(),
            states: session.memo(),
            destinations: session.memo(),
            declared: Mutex::default(),
            session: Arc::clone(session),
        })
    }

    pub(crate) const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// From now on all that hangs on the declared ones is found, whatever the tagging service knows of them, and nothing
    /// on the settled ones.
    pub(super) fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.configuration_set(""), settled);
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(declared);
    }

    /// What is known of the named ones and, reading everything, of the declared ones and of all others that may be ours.
    pub(crate) async fn read(
        &self,
        names: impl IntoIterator<Item = String>,
        reading: Reading,
    ) -> Result<Vec<Arc<State>>, AwsError> {
        let mut names: BTreeSet<String> = names.into_iter().collect();
        if reading == Reading::Everything {
            names.extend(
                self.declared.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned(),
            );
            let prefix = self.session.arns.configuration_set("");
            let list = || async { Ok(self.existing().await?.as_ref().clone()) };
            names.extend(self.session.names_of_ours(&prefix, list).await?);
        }
        let reads = names.into_iter().map(|name| async move { self.state(&name).await });
        let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What tags and the list of all sets tell of the `declared` ones; `None` where the credentials may not list.
    pub(super) async fn glance(
        &self,
        declared: &BTreeSet<String>,
    ) -> Result<Option<Vec<Glance>>, AwsError> {
        let Some(listed) = if_allowed(self.existing().await)? else { return Ok(None) };
        let prefix = self.session.arns.configuration_set("");
        self.session.glance(&prefix, declared, &listed).await.map(Some)
    }

    async fn existing(&self) -> Result<Arc<BTreeSet<String>>, AwsError> {
        let list = || async {
            let call = self.session.ses().list_configuration_sets().page_size(PAGE_SIZE);
            let mut pages = call.into_paginator().send();
            let mut names = BTreeSet::new();
            while let Some(page) = pages.next().await {
                let region = self.session.arns.region();
                let page = page.map_err(failed("ses:ListConfigurationSets", region))?;
                names.extend(page.configuration_sets.unwrap_or_default());
            }
            Ok(Arc::new(names))
        };
        self.listed.get((), list).await
    }

    /// What the marks on our sets name.
    pub(crate) async fn children(&self) -> Result<BTreeMap<String, BTreeSet<String>>, AwsError> {
        let states = self.read([], Reading::Everything).await?;
        let ours = states.iter().filter(|state| state.ownership == Ownership::Ours);
        Ok(ours.map(|state| (state.name.clone(), state.marks.children.clone())).collect())
    }

    /// What SES says of the set `name`; `None` if there is none.
    pub(crate) async fn state(&self, name: &str) -> Result<Option<Arc<State>>, AwsError> {
        let read = || async {
            let call = self.session.ses().get_configuration_set().configuration_set_name(name);
            let answer = call.send().await.map_err(failed("ses:GetConfigurationSet", name));
            Ok(answer.or_absent()?.map(|output| Arc::new(self.describe(name, output))))
        };
        self.states.get(name.to_owned(), read).await
    }

    /// The event destinations of the set `name`; none if there is no such set.
    pub(crate) async fn destinations(
        &self,
        name: &str,
    ) -> Result<Arc<Vec<EventDestination>>, AwsError> {
        let read = || async {
            let ses = self.session.ses();
            let call = ses.get_configuration_set_event_destinations().configuration_set_name(name);
            let answer = call.send().await;
            let answer = answer
                .map_err(failed("ses:GetConfigurationSetEventDestinations", name))
                .or_absent()?;
            let listed = answer.and_then(|answer| answer.event_destinations);
            Ok(Arc::new(listed.unwrap_or_default()))
        };
        self.destinations.get(name.to_owned(), read).await
    }

    /// The next read of `name` comes from SES.
    pub(crate) fn forget(&self, name: &str) {
        self.states.forget_key(&name.to_owned());
    }

    /// The next read of the destinations of `name` comes from SES.
    pub(crate) fn forget_destinations(&self, name: &str) {
        self.destinations.forget_key(&name.to_owned());
    }

    /// Carries out tag changes on the set `name`.
    pub(super) async fn tag(&self, name: &str, changes: TagChanges) -> Result<(), AwsError> {
        let arn = self.session.arns.configuration_set(name);
        let answer = ses_tags::change(&self.session, &arn, name, changes).await;
        self.forget(name);
        answer
    }

    fn describe(&self, name: &str, mut output: GetConfigurationSetOutput) -> State {
        let arn = self.session.arns.configuration_set(name);
        let all_tags = ses_tags::from_ses(output.tags.take());
        let (ownership, marks, tags) = self.session.owner.read(&arn, &all_tags);
        State { name: name.to_owned(), output, ownership, marks, tags, all_tags }
    }
}
