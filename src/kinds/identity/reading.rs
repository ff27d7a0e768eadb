//! What SES says of identities, read once for the identity itself, its aspects and its policies.
//!
//! Invariant: what SES leaves out, or the SDK fills in for it, is `None` here: no kind meets an empty text or an
//! unknown variant that stands for "not set".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure, DkimAttributes, DkimSigningAttributesOrigin, DkimStatus, IdentityType,
    MailFromDomainStatus,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::{AwsError, Memo, OrAbsent, Reads, Session, TagChanges, failed, ses_tags};
use crate::engine::{Address, Glance, Marks, Ownership, Reading};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// One page of `ListEmailIdentities` at its largest.
const PAGE_SIZE: i32 = 1_000;
/// `GetEmailIdentity` calls under way at once. SES takes one per second anyway, so this only bounds memory.
const READS_AT_ONCE: usize = 16;
/// The tag that tells which BYODKIM key was put last: SES never gives a key back.
pub(super) const SIGNING_KEY_TAG: &str = "sesinfra:signing-key";

/// Where the key of a domain comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// SES makes it (Easy DKIM).
    Easy,
    /// The user gave it (BYODKIM).
    External,
    /// It is the key of the same domain in this Region (`us-east-1`).
    Replica(String),
}

/// The custom MAIL FROM of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailFromState {
    /// Its name.
    pub(super) domain: String,
    /// Whether SES refuses to send while its MX record is missing.
    pub(super) rejects: bool,
    /// How far SES is with finding the MX record.
    pub(super) status: MailFromDomainStatus,
}

/// DNS records of an identity that are to go.
#[derive(Debug)]
pub(crate) struct Going {
    /// The selectors and tokens of its keys.
    pub(crate) keys: BTreeSet<String>,
    /// Whether SES is told to sign with another key before they go.
    pub(crate) key_is_switched: bool,
    /// Its MAIL FROM names.
    pub(crate) mail_from: BTreeSet<String>,
    /// Whether SES is told of another MAIL FROM, or of none, before they go.
    pub(crate) mail_from_is_switched: bool,
}

/// An identity as SES describes it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "SES says each of them by itself")]
pub(super) struct State {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) is_domain: bool,
    pub(super) verified: bool,
    pub(super) feedback_forwarding: bool,
    pub(super) origin: Origin,
    /// The length that the key has or is changing to: `RSA_2048_BIT`.
    pub(super) key_length: Option<String>,
    /// When SES last made a key, in seconds since 1970.
    pub(super) key_made_at: Option<i64>,
    pub(super) signing: bool,
    pub(super) dkim_status: Option<DkimStatus>,
    pub(super) dkim_tokens: Vec<String>,
    pub(super) signing_zone: Option<String>,
    pub(super) mail_from: Option<MailFromState>,
    pub(super) default_set: Option<String>,
    /// Sending-authorization policies, by name, as text.
    pub(super) policies: BTreeMap<String, String>,
    /// Why SES could not verify the identity: `HOST_NOT_FOUND`.
    pub(super) problem: Option<String>,
    pub(super) ownership: Ownership,
    pub(super) marks: Marks,
    /// The user's tags.
    pub(super) tags: Tags,
    /// All tags, ours and AWS's included.
    pub(super) all_tags: Tags,
}

impl State {
    /// The identity's own address.
    pub(super) fn address(&self) -> Address {
        Address::new("identity", self.name.as_str())
    }

    /// Whether a tag names the BYODKIM key that was put last.
    pub(super) fn names_key(&self) -> bool {
        self.all_tags.contains_key(SIGNING_KEY_TAG)
    }
}

/// The identities of one account and Region.
#[derive(Debug)]
pub struct Identities {
    session: Arc<Session>,
    listed: Memo<(), Arc<BTreeSet<String>>>,
    states: Memo<String, Option<Arc<State>>>,
    /// Identities that are not ours, by their default set.
    default_sets_of_others: Memo<(), Arc<BTreeMap<String, BTreeSet<String>>>>,
    /// The names that are declared.
    declared: Mutex<BTreeSet<String>>,
    /// The names that somebody waits for, or waited for.
    expected: Mutex<BTreeSet<String>>,
    /// Default sets that were given in the call that created the identity.
    created_with: Mutex<BTreeMap<String, String>>,
}

impl Identities {
    /// The identities within reach of `session`.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Arc<Self> {
        Arc::new(Self {
            listed: session.memo(),
            states: session.memo(),
            // Not forgotten with other reads: nothing that this run writes changes it.
            default_sets_of_others: Memo::new(&Reads::default()),
            declared: Mutex::default(),
            expected: Mutex::default(),
            created_with: Mutex::default(),
            session: Arc::clone(session),
        })
    }

    pub(super) const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// From now on all that hangs on the declared ones is found, whatever the tagging service knows of them, and nothing
    /// on the settled ones.
    pub(super) fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        self.session.pass_over(&self.session.arns.identity(""), settled);
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(declared);
    }

    /// What is known of the named ones and, reading everything, of the declared ones and of all others that may be ours.
    ///
    /// Existence comes from one listing, so that an identity that is still to be made costs no call.
    pub(super) async fn read(
        &self,
        names: impl IntoIterator<Item = String>,
        reading: Reading,
    ) -> Result<Vec<Arc<State>>, AwsError> {
        let mut names: BTreeSet<String> = names.into_iter().collect();
        if reading == Reading::Everything {
            names.extend(
                self.declared.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned(),
            );
            names.extend(self.names_of_ours().await?);
            if names.is_empty() {
                return Ok(Vec::new());
            }
            let existing = self.existing().await?;
            names.retain(|name| existing.contains(name));
            self.expect(&names);
        }
        let reads = names.into_iter().map(|name| async move { self.state(&name).await });
        let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Whoever waits for the whole of a long read can see how much there is of it.
    fn expect(&self, names: &BTreeSet<String>) {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let before = expected.len();
        expected.extend(names.iter().cloned());
        self.session.gauge.expect(expected.len() - before);
    }

    /// What SES says of the identity `name`; `None` if there is none.
    pub(super) async fn state(&self, name: &str) -> Result<Option<Arc<State>>, AwsError> {
        let read = || async {
            let call = self.session.ses().get_email_identity().email_identity(name);
            let answer = call.send().await.map_err(failed("ses:GetEmailIdentity", name));
            self.session.gauge.advance();
            Ok(answer.or_absent()?.map(|output| Arc::new(self.describe(name, output))))
        };
        self.states.get(name.to_owned(), read).await
    }

    /// Whether SES has verified the identity `name`.
    pub(crate) async fn is_verified(&self, name: &str) -> Result<bool, AwsError> {
        Ok(self.state(name).await?.is_some_and(|state| state.verified))
    }

    /// What the marks on these identities name, as far as they are ours and exist.
    pub(crate) async fn children(
        &self,
        names: BTreeSet<String>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, AwsError> {
        let states = self.read(names, Reading::Everything).await?;
        let ours = states.iter().filter(|state| state.ownership == Ownership::Ours);
        Ok(ours.map(|state| (state.name.clone(), state.marks.children.clone())).collect())
    }

    /// Why SES still needs records of the identity `name` that are to go; `None` if it does not, or if there is no such
    /// identity any more.
    pub(crate) async fn needs_records(
        &self,
        name: &str,
        going: &Going,
    ) -> Result<Option<String>, AwsError> {
        if going.keys.is_empty() && going.mail_from.is_empty() {
            return Ok(None);
        }
        let Some(state) = self.state(name).await? else { return Ok(None) };
        Ok(needs_dkim_records(&state, going).or_else(|| needs_mail_from_records(&state, going)))
    }

    /// The next read of `name` comes from SES.
    pub(super) fn forget(&self, name: &str) {
        self.states.forget_key(&name.to_owned());
    }

    /// What tags and the list of all identities tell of the `declared` ones.
    pub(super) async fn glance(
        &self,
        declared: &BTreeSet<String>,
    ) -> Result<Option<Vec<Glance>>, AwsError> {
        let listed = self.existing().await?;
        self.session.glance(&self.session.arns.identity(""), declared, &listed).await.map(Some)
    }

    async fn names_of_ours(&self) -> Result<BTreeSet<String>, AwsError> {
        let list = || async { Ok(self.existing().await?.as_ref().clone()) };
        self.session.names_of_ours(&self.session.arns.identity(""), list).await
    }

    async fn existing(&self) -> Result<Arc<BTreeSet<String>>, AwsError> {
        let list = || async {
            let call = self.session.ses().list_email_identities().page_size(PAGE_SIZE);
            let mut pages = call.into_paginator().send();
            let mut names = BTreeSet::new();
            while let Some(page) = pages.next().await {
                let page =
                    page.map_err(failed("ses:ListEmailIdentities", self.session.arns.region()))?;
                let listed = page.email_identities.unwrap_or_default();
                names.extend(listed.into_iter().filter_map(|one| one.identity_name));
            }
            Ok(Arc::new(names))
        };
        self.listed.get((), list).await
    }

    /// Remembers that `name` was just created with the default set `set`, which saves setting it; `None` to forget.
    pub(super) fn note_created_with(&self, name: &str, set: Option<&str>) {
        let mut created = self.created_with.lock().unwrap_or_else(PoisonError::into_inner);
        match set {
            Some(set) => created.insert(name.to_owned(), set.to_owned()),
            None => created.remove(name),
        };
    }

    /// Whether `name` was just created with the default set `set`. Said once: later it may have another.
    pub(super) fn was_created_with(&self, name: &str, set: &str) -> bool {
        let mut created = self.created_with.lock().unwrap_or_else(PoisonError::into_inner);
        created.remove(name).is_some_and(|given| given == set)
    }

    /// Identities that are not ours and have the configuration set `set` as their default.
    ///
    /// Only asking each of them tells, and SES answers once a second: so they are asked once in a run, for all sets.
    pub(crate) async fn others_with_default_set(
        &self,
        set: &str,
    ) -> Result<BTreeSet<String>, AwsError> {
        let read = || async {
            let names = self.existing().await?;
            let prefix = self.session.arns.identity("");
            let mut names = names.as_ref().clone();
            // What is settled is ours.
            names.retain(|name| !self.session.passes_over(&prefix, name));
            let reads = names.into_iter().map(|name| async move { self.state(&name).await });
            let found: Vec<_> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
            let others = found.into_iter().flatten().filter(|it| it.ownership != Ownership::Ours);
            let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for other in others {
                if let Some(set) = &other.default_set {
                    users.entry(set.clone()).or_default().insert(other.name.clone());
                }
            }
            Ok(Arc::new(users))
        };
        let users = self.default_sets_of_others.get((), read).await?;
        Ok(users.get(set).cloned().unwrap_or_default())
    }

    /// Carries out tag changes on the identity `name`.
    pub(super) async fn tag(&self, name: &str, changes: TagChanges) -> Result<(), AwsError> {
        let arn = self.session.arns.identity(name);
        let answer = ses_tags::change(&self.session, &arn, name, changes).await;
        self.forget(name);
        answer
    }

    /// Removes the tag that names the BYODKIM key of `name`.
    pub(super) async fn forget_key(&self, name: &str) -> Result<(), AwsError> {
        let unset = BTreeSet::from([SIGNING_KEY_TAG.to_owned()]);
        self.tag(name, TagChanges { set: Tags::new(), unset }).await
    }

    fn describe(&self, name: &str, output: GetEmailIdentityOutput) -> State {
        let arn = self.session.arns.identity(name);
        let all_tags = ses_tags::from_ses(output.tags);
        let (ownership, marks, tags) = self.session.owner.read(&arn, &all_tags);
        let is_domain = output.identity_type != Some(IdentityType::EmailAddress);
        let dkim = output.dkim_attributes.unwrap_or_else(|| DkimAttributes::builder().build());
        let text = |set: Option<&str>| set.filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        State {
            name: name.to_owned(),
            arn,
            is_domain,
            verified: output.verified_for_sending_status,
            feedback_forwarding: output.feedback_forwarding_status,
            origin: origin(dkim.signing_attributes_origin.as_ref()),
            // Next, not Current: the two differ while a new key rolls in, and Next is what was asked for.
            key_length: dkim.next_signing_key_length.map(|length| length.as_str().to_owned()),
            key_made_at: dkim.last_key_generation_timestamp.map(|time| time.secs()),
            signing: dkim.signing_enabled,
            dkim_status: dkim.status,
            dkim_tokens: dkim.tokens.unwrap_or_default(),
            signing_zone: text(dkim.signing_hosted_zone.as_deref()),
            // MailFromAttributes is there even when no MAIL FROM ever was: the SDK then fills in an empty name.
            mail_from: output
                .mail_from_attributes
                .filter(|it| !it.mail_from_domain.is_empty())
                .map(|it| MailFromState {
                    domain: it.mail_from_domain,
                    rejects: it.behavior_on_mx_failure == BehaviorOnMxFailure::RejectMessage,
                    status: it.mail_from_domain_status,
                }),
            // A default set that was cleared with an empty text is given back as one.
            default_set: text(output.configuration_set_name.as_deref()),
            policies: output.policies.unwrap_or_default().into_iter().collect(),
            problem: output
                .verification_info
                .and_then(|info| info.error_type)
                .map(|error| error.as_str().to_owned()),
            ownership,
            marks,
            tags,
            all_tags,
        }
    }
}

fn needs_dkim_records(state: &State, going: &Going) -> Option<String> {
    if going.keys.is_empty() || !state.is_domain {
        return None;
    }
    let name = &state.name;
    if state.dkim_tokens.iter().any(|token| going.keys.contains(&token.to_ascii_lowercase())) {
        let signs = format!("SES still signs mail of {name} with the old DKIM records");
        return (!going.key_is_switched).then_some(signs);
    }
    let is_found = state.dkim_status == Some(DkimStatus::Success);
    (!is_found).then(|| format!("SES has not found the new DKIM records of {name} yet"))
}

fn needs_mail_from_records(state: &State, going: &Going) -> Option<String> {
    let mail_from = state.mail_from.as_ref().filter(|_| !going.mail_from.is_empty())?;
    let domain = mail_from.domain.to_ascii_lowercase();
    if going.mail_from.contains(&domain) {
        let uses = format!("SES still uses {domain} as MAIL FROM of {}", state.name);
        return (!going.mail_from_is_switched).then_some(uses);
    }
    let is_found = mail_from.status == MailFromDomainStatus::Success;
    (!is_found).then(|| format!("SES has not found the MX record of {} yet", mail_from.domain))
}

/// Where a key comes from, by the word that SES has for it.
pub(super) fn origin(origin: Option<&DkimSigningAttributesOrigin>) -> Origin {
    match origin.map(DkimSigningAttributesOrigin::as_str) {
        Some("EXTERNAL") => Origin::External,
        // AWS_SES_US_EAST_1: a replica of the key in us-east-1, a Region that the SDK need not know.
        Some(word) if word.starts_with("AWS_SES_") => {
            Origin::Replica(word.trim_start_matches("AWS_SES_").to_lowercase().replace('_', "-"))
        }
        _ => Origin::Easy,
    }
}

/// The word that SES has for a replica of the key in `region`.
pub(super) fn replica_origin(region: &str) -> DkimSigningAttributesOrigin {
    let word = format!("AWS_SES_{}", region.to_uppercase().replace('-', "_"));
    DkimSigningAttributesOrigin::from(word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_key_is_read_back_as_it_was_asked_for() {
        for region in ["us-east-1", "eu-central-2", "us-gov-west-1"] {
            assert_eq!(origin(Some(&replica_origin(region))), Origin::Replica(region.to_owned()));
        }
        assert_eq!(origin(Some(&DkimSigningAttributesOrigin::AwsSes)), Origin::Easy);
        assert_eq!(origin(Some(&DkimSigningAttributesOrigin::External)), Origin::External);
        assert_eq!(origin(None), Origin::Easy);
    }
}
