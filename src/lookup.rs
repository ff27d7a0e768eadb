//! What the public DNS says of a record, beside what AWS says of it.
//!
//! Invariant: reads only, and an answer that does not come is no answer, never a missing record.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::view::{Record, Verdict};

/// How long one question may take; a plan does not wait longer for what is only a notice.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Answers questions about DNS names.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All values of a type (`CNAME`, `MX`, `TXT`) at a name, in plain words: texts joined and without quotes, names
    /// without a dot at the end. Empty where there are none; an error says why there is no answer.
    async fn values(&self, name: &str, kind: &str) -> Result<Vec<String>, String>;
}

/// The DNS of the machine that this runs on.
#[derive(Debug, Default)]
pub struct PublicDns {
    /// Set up with the first question, from the machine's own settings, or why it could not be.
    resolver: OnceLock<Result<TokioResolver, String>>,
}

#[async_trait]
impl Lookup for PublicDns {
    async fn values(&self, name: &str, kind: &str) -> Result<Vec<String>, String> {
        let resolver = self.resolver.get_or_init(|| resolver().map_err(|error| error.to_string()));
        ask(resolver.as_ref().map_err(Clone::clone)?, name, kind).await
    }
}

fn resolver() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio()?;
    // Whoever waits for a record to appear asks again and again, and wants to know what is there now.
    builder.options_mut().cache_size = 0;
    builder.build()
}

async fn ask(resolver: &TokioResolver, name: &str, kind: &str) -> Result<Vec<String>, String> {
    let kind = match kind {
        "CNAME" => RecordType::CNAME,
        "MX" => RecordType::MX,
        _ => RecordType::TXT,
    };
    let asked = resolver.lookup(format!("{name}."), kind);
    match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Err(_) => Err("the DNS did not answer in time".to_owned()),
        Ok(Err(error)) if error.is_no_records_found() || error.is_nx_domain() => Ok(Vec::new()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(answer)) => {
            let values = answer.answers().iter();
            Ok(values.filter_map(|record| plain(kind, &record.data)).collect())
        }
    }
}

/// A value in plain words; `None` for an answer of another type, such as the alias on the way to a text.
fn plain(kind: RecordType, data: &RData) -> Option<String> {
    match (kind, data) {
        (RecordType::CNAME, RData::CNAME(target)) => Some(without_dot(&target.to_string())),
        (RecordType::MX, RData::MX(mx)) => {
            Some(format!("{} {}", mx.preference, without_dot(&mx.exchange.to_string())))
        }
        (RecordType::TXT, RData::TXT(text)) => {
            let bytes: Vec<u8> =
                text.txt_data.iter().flat_map(|piece| piece.iter().copied()).collect();
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => None,
    }
}

fn without_dot(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Questions under way at once: a resolver drops what comes in a flood.
pub(crate) const LOOKUPS_AT_ONCE: usize = 64;

/// Asks about every record whose name and value are known, and writes down what is found.
pub async fn judge(records: &mut [Record], lookup: &dyn Lookup) {
    let judged = stream::iter(records).for_each_concurrent(LOOKUPS_AT_ONCE, |record| async move {
        let (Some(name), Some(value)) = (&record.name, &record.value) else { return };
        let found = lookup.values(name, &record.kind).await;
        record.verdict = Some(match found {
            Ok(found) => verdict(&record.kind, value, &found),
            Err(reason) => Verdict::Unanswered(reason),
        });
    });
    judged.await;
}

/// What the texts start with of which a name may hold only one: with two, receivers take neither (RFC 7208, 4.5; RFC 9989,
/// 4.10). Texts of other sorts may stand beside them.
const SORTS: [&str; 2] = ["v=spf1", "v=dmarc1"];

/// Whether what was found at a name is what it should be.
fn verdict(kind: &str, wanted: &str, found: &[String]) -> Verdict {
    if kind != "TXT" {
        // These names hold one value alone: SES takes no second MX record at a MAIL FROM name.
        return alone(found, |only| without_dot(only) == without_dot(wanted));
    }
    // At the name of a key every text counts as one (RFC 6376, 3.6.2.2).
    let sort = |text: &str| {
        let first = text.split([' ', ';']).next().unwrap_or_default().to_ascii_lowercase();
        SORTS.into_iter().find(|sort| *sort == first)
    };
    let wanted_sort = sort(wanted);
    let is_in_its_place = |text: &&String| wanted_sort.is_none() || sort(text) == wanted_sort;
    let in_its_place: Vec<String> = found.iter().filter(is_in_its_place).cloned().collect();
    alone(&in_its_place, |only| only == wanted)
}

/// The verdict on values of which there may be only one.
fn alone(found: &[String], is_right: impl Fn(&str) -> bool) -> Verdict {
    match found {
        [] => Verdict::Missing,
        [only] if is_right(only) => Verdict::Ok,
        others => Verdict::Wrong(others.to_vec()),
    }
}

#[cfg(test)]
mod tests;
