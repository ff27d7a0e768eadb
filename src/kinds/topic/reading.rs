//! How a topic is read.

use std::collections::BTreeSet;

use super::attributes::{notes_of_policy, set_text};
use super::{Outputs, Spec, Topic};
use crate::aws::key::{self, Checked, SES_TO_TOPIC};
use crate::aws::note_of_stack;
use crate::aws::policy::Policy;
use crate::engine::{BoxError, Live, Ownership, Reading, Wanted};

impl Topic {
    pub(super) async fn read_one(
        &self,
        name: &str,
        wanted: Option<Wanted<Spec>>,
        reading: Reading,
    ) -> Result<Option<Live<Spec, Outputs>>, BoxError> {
        let Some(attributes) = self.topics.attributes(name).await? else { return Ok(None) };
        let arn = self.session.arns.topic(name);
        let tags = self.topics.tags(name).await?;
        let stack = note_of_stack(&tags);
        let (ownership, marks, tags) = self.session.owner.read(&arn, &tags);
        // Found by its tags only: the tagging service lags, so what is not ours after all is left out.
        if wanted.is_none() && ownership != Ownership::Ours {
            return Ok(None);
        }
        let declared = wanted.and_then(|wanted| wanted.spec).and_then(|spec| spec.encryption_key);
        let encryption_key = match set_text(&attributes, "KmsMasterKeyId") {
            // SNS gives back the name it was given, so one key may have another name here than in the file.
            Some(live) => match &declared {
                Some(declared) if key::is_same(&self.session, declared, &live).await => {
                    Some(declared.clone())
                }
                _ => Some(live),
            },
            None => None,
        };
        let policy = Policy::parse(attributes.get("Policy").map_or("{}", String::as_str))?;
        let mut notes = notes_of_policy(&policy);
        notes.extend(stack);
        if reading == Reading::Everything
            && encryption_key == declared
            && let Some(key) = &encryption_key
        {
            notes.extend(self.note_of_key(key).await);
        }
        let spec = Spec {
            display_name: set_text(&attributes, "DisplayName"),
            encryption_key,
            policy,
            tags,
        };
        Ok(Some(Live {
            name: name.to_owned(),
            spec,
            outputs: Outputs { arn },
            ownership,
            parent: None,
            tokens: BTreeSet::new(),
            marks,
            uses: BTreeSet::new(),
            notes,
        }))
    }

    /// What there is to say of the key of a topic that has it already: a plan can still be made, so it is not an error.
    pub(super) async fn note_of_key(&self, key: &str) -> Option<String> {
        match key::check(&self.session, key, SES_TO_TOPIC).await {
            Ok(Checked::Allowed) => None,
            Ok(Checked::Unknown(note)) => Some(note),
            Err(problem) => Some(problem.to_string()),
        }
    }
}
