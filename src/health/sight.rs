//! What there is to see of an environment's mail at one moment: the account, the resources, their DNS records.
//!
//! Invariant: plain data; what is judged of it is judged elsewhere, from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::access::Standing;
use crate::aws::{AwsError, Session};
use crate::engine::{LiveValue, World};
use crate::environment::types::Settings;
use crate::lookup::{LOOKUPS_AT_ONCE, Lookup};
use crate::view::Record;

/// What there is to see.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The account.
    pub standing: Standing,
    /// What puts an address on the account's suppression list: `bounce`, `complaint`.
    pub suppressed: BTreeSet<String>,
    /// The resources.
    pub world: World,
    /// The DNS records that domains need, each with what the DNS says.
    pub records: Vec<Record>,
    /// The DMARC record that applies to each domain, or why it is not known.
    pub dmarc: BTreeMap<String, Dmarc>,
}

/// The DMARC record that applies to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dmarc {
    /// It stands at this domain: its own, or one above.
    Found {
        /// The domain.
        at: String,
        /// The record.
        text: String,
    },
    /// There is none.
    Missing,
    /// The DNS gave no answer, for this reason.
    Unanswered(String),
}

/// Sees the account and the DMARC records; the rest was read already.
pub async fn see(
    session: &Session,
    settings: &Settings,
    lookup: &dyn Lookup,
    world: World,
    records: Vec<Record>,
) -> Result<Sight, AwsError> {
    let account = session.account().await?;
    let reasons = account
        .suppression_attributes
        .as_ref()
        .map(aws_sdk_sesv2::types::SuppressionAttributes::suppressed_reasons);
    let reasons = reasons.into_iter().flatten().map(|reason| reason.as_str().to_lowercase());
    let domains = settings.identities.keys().filter(|name| !name.is_address());
    let asked = stream::iter(domains.map(ToString::to_string)).map(|domain| async move {
        let found = dmarc_of(&domain, lookup).await;
        (domain, found)
    });
    let dmarc = asked.buffered(LOOKUPS_AT_ONCE).collect().await;
    Ok(Sight {
        standing: Standing::of(&account),
        suppressed: reasons.collect(),
        world,
        records,
        dmarc,
    })
}

/// Receivers look at the domain itself and then at those above it (RFC 9989, "DNS Tree Walk"). A public suffix such as
/// `com` has none.
async fn dmarc_of(domain: &str, lookup: &dyn Lookup) -> Dmarc {
    let mut at = domain;
    loop {
        match lookup.values(&format!("_dmarc.{at}"), "TXT").await {
            Err(reason) => return Dmarc::Unanswered(reason),
            Ok(texts) => {
                let found =
                    texts.into_iter().find(|text| text.trim_start().starts_with("v=DMARC1"));
                if let Some(text) = found {
                    return Dmarc::Found { at: at.to_owned(), text };
                }
            }
        }
        match at.split_once('.') {
            Some((_, above)) if above.contains('.') => at = above,
            _ => return Dmarc::Missing,
        }
    }
}

impl Sight {
    /// The live resource of a kind and name.
    #[must_use]
    pub fn live(&self, kind: &str, name: &str) -> Option<&LiveValue> {
        self.world.get(&crate::engine::Address::new(kind, name))
    }

    /// The DNS records of each domain, by its name.
    pub(super) fn records_by_owner(&self) -> BTreeMap<&str, Vec<&Record>> {
        let mut records: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in &self.records {
            records.entry(&record.owner).or_default().push(record);
        }
        records
    }

    /// All live resources of a kind that are ours.
    pub fn ours<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a LiveValue> {
        self.world.ours().filter(move |live| live.address.kind() == kind)
    }
}
