//! The claim beside a domain's records: a TXT record that says which of them whose they are.
//!
//! `_sesinfra.pivot.app TXT "sesinfra1 owner=3f2a91bc04de has=dkim:s1,mail-from:mail,dmarc"`, one value for each owner.
//! `has` names what the owner made; `uses` what it needs and found there, made by somebody else. What an owner made and
//! leaves behind because others use it becomes one of theirs, so that the last one takes it away.
//!
//! Invariant: a value is ours to change or delete only if our claim has it and nobody else's claim does.

use std::collections::BTreeMap;
use std::fmt;

use super::record::RecordType;

/// What a claim starts with; the number is the version of this format.
const VERSION: &str = "sesinfra1";
/// The label under which claims stand.
const LABEL: &str = "_sesinfra";

/// How the domain itself is called where a part of a name before it is asked for.
const ITSELF: &str = "@";

/// The name of the claims of `domain`.
pub(super) fn claim_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// The domain whose claims stand at `name`.
pub(super) fn claimed_domain(name: &str) -> Option<&str> {
    name.strip_prefix(LABEL)?.strip_prefix('.')
}

/// A record that a claim names, by its place relative to the domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// An Easy DKIM alias, the number-th of three; 0 for one that is no longer wanted.
    EasyDkim {
        /// Its number, from 1.
        number: u8,
        /// The first label of its name.
        token: String,
    },
    /// The public key of a selector.
    DkimKey(String),
    /// The mail exchanger of the MAIL FROM domain, by the part of its name before the domain.
    MailFromMx(String),
    /// The SPF text of the MAIL FROM domain.
    MailFromSpf(String),
    /// The DMARC text.
    Dmarc,
    /// The alias of a tracking domain, which is the domain itself.
    Tracking,
}

impl Entry {
    /// The whole name of the record.
    pub(super) fn name(&self, domain: &str) -> String {
        match self {
            Self::EasyDkim { token: label, .. } | Self::DkimKey(label) => {
                format!("{label}._domainkey.{domain}")
            }
            Self::MailFromMx(part) | Self::MailFromSpf(part) if part == ITSELF => domain.to_owned(),
            Self::MailFromMx(part) | Self::MailFromSpf(part) => format!("{part}.{domain}"),
            Self::Dmarc => format!("_dmarc.{domain}"),
            Self::Tracking => domain.to_owned(),
        }
    }

    /// The type of the record.
    pub(super) const fn kind(&self) -> RecordType {
        match self {
            Self::EasyDkim { .. } | Self::Tracking => RecordType::Cname,
            Self::MailFromMx(_) => RecordType::Mx,
            Self::DkimKey(_) | Self::MailFromSpf(_) | Self::Dmarc => RecordType::Txt,
        }
    }

    /// What the record is for, as plans call it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::EasyDkim { number, .. } => format!("dkim {number} of 3"),
            Self::DkimKey(_) => "dkim key".to_owned(),
            Self::MailFromMx(_) => "mail-from mx".to_owned(),
            Self::MailFromSpf(_) => "mail-from spf".to_owned(),
            Self::Dmarc => "dmarc".to_owned(),
            Self::Tracking => "tracking".to_owned(),
        }
    }

    /// The same with the part of the name before the domain, for a domain with several MAIL FROM names.
    pub(super) fn label_with_part(&self) -> String {
        match self {
            Self::MailFromMx(part) | Self::MailFromSpf(part) => format!("{} {part}", self.label()),
            _ => self.label(),
        }
    }

    /// The entry for the record that is called `label` and named `name`.
    pub(super) fn of(label: &str, name: &str, domain: &str) -> Option<Self> {
        let part =
            |suffix: &str| name.strip_suffix(suffix)?.strip_suffix('.').map(ToOwned::to_owned);
        let part_or_itself = || if name == domain { Some(ITSELF.to_owned()) } else { part(domain) };
        let key = || part(&format!("_domainkey.{domain}"));
        Some(match label {
            "dkim key" => Self::DkimKey(key()?),
            _ if label.starts_with("mail-from mx") => Self::MailFromMx(part_or_itself()?),
            _ if label.starts_with("mail-from spf") => Self::MailFromSpf(part_or_itself()?),
            "dmarc" => Self::Dmarc,
            "tracking" => Self::Tracking,
            _ => {
                let number = label.strip_prefix("dkim ")?.strip_suffix(" of 3")?.parse().ok()?;
                Self::EasyDkim { number, token: key()? }
            }
        })
    }

    /// The same for a record that is no longer wanted: its number may be another's by now.
    pub(super) fn retired(self) -> Self {
        match self {
            Self::EasyDkim { token, .. } => Self::EasyDkim { number: 0, token },
            other => other,
        }
    }

    /// Whether `text` is a value of the sort that this record has. Other texts may stand beside it.
    pub(super) fn is_its_sort(&self, text: &str) -> bool {
        let starts = |word: &str| {
            text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        match self {
            Self::MailFromSpf(_) => starts("v=spf1"),
            Self::Dmarc => starts("v=DMARC1"),
            Self::EasyDkim { .. } | Self::DkimKey(_) | Self::MailFromMx(_) | Self::Tracking => true,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        let rest = rest.to_owned();
        Some(match word {
            "dkim" => Self::DkimKey(rest),
            "easy" => Self::EasyDkim { number: 0, token: rest },
            "mx" => Self::MailFromMx(rest),
            "spf" => Self::MailFromSpf(rest),
            "dmarc" => Self::Dmarc,
            "tracking" => Self::Tracking,
            _ => Self::EasyDkim { number: word.strip_prefix("easy")?.parse().ok()?, token: rest },
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EasyDkim { number: 0, token } => write!(formatter, "easy:{token}"),
            Self::EasyDkim { number, token } => write!(formatter, "easy{number}:{token}"),
            Self::DkimKey(selector) => write!(formatter, "dkim:{selector}"),
            Self::MailFromMx(part) => write!(formatter, "mx:{part}"),
            Self::MailFromSpf(part) => write!(formatter, "spf:{part}"),
            Self::Dmarc => formatter.write_str("dmarc"),
            Self::Tracking => formatter.write_str("tracking"),
        }
    }
}

/// Whether a claimed record was made by the owner, or only found and used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Made, and so to be deleted when it is no longer wanted.
    Has,
    /// Found there: somebody else's, left when it is no longer wanted.
    Uses,
}

/// What one owner claims of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The owner, see [`crate::aws::Owner::dns_id`].
    pub owner: String,
    /// What it claims.
    pub entries: BTreeMap<Entry, Hold>,
}

impl Claim {
    /// Reads a claim; `None` for another text, or one of a version that is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        if words.next()? != VERSION {
            return None;
        }
        let mut claim = Self { owner: String::new(), entries: BTreeMap::new() };
        for word in words {
            match word.split_once('=')? {
                ("owner", id) => id.clone_into(&mut claim.owner),
                ("has", list) => claim.extend(list, Hold::Has),
                ("uses", list) => claim.extend(list, Hold::Uses),
                _ => {}
            }
        }
        (!claim.owner.is_empty()).then_some(claim)
    }

    fn extend(&mut self, list: &str, hold: Hold) {
        for word in list.split(',') {
            // `mail-from:mail` stands for the two records of that name.
            if let Some(part) = word.strip_prefix("mail-from:") {
                self.entries.insert(Entry::MailFromMx(part.to_owned()), hold);
                self.entries.insert(Entry::MailFromSpf(part.to_owned()), hold);
            } else if let Some(entry) = Entry::parse(word) {
                self.entries.insert(entry, hold);
            }
        }
    }

    /// The owner, who uses the record of `entry`, has it from now on: whoever made it left it behind.
    pub(super) fn inherit(&mut self, entry: &Entry) {
        let place = entry.clone().retired();
        for (other, hold) in &mut self.entries {
            if other.clone().retired() == place {
                *hold = Hold::Has;
            }
        }
    }

    /// Whether the record of `entry` is claimed, whatever its number.
    pub(super) fn hold(&self, entry: &Entry) -> Option<Hold> {
        let same_place = |other: &Entry| other.clone().retired() == entry.clone().retired();
        self.entries.iter().find(|(other, _)| same_place(other)).map(|(_, hold)| *hold)
    }

    fn list(&self, wanted: Hold) -> Vec<String> {
        let mut words = Vec::new();
        let held = |entry: &Entry| self.entries.get(entry) == Some(&wanted);
        for entry in self.entries.keys().filter(|entry| held(entry)) {
            match entry {
                Entry::MailFromMx(part) if held(&Entry::MailFromSpf(part.clone())) => {
                    words.push(format!("mail-from:{part}"));
                }
                Entry::MailFromSpf(part) if held(&Entry::MailFromMx(part.clone())) => {}
                other => words.push(other.to_string()),
            }
        }
        words
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{VERSION} owner={}", self.owner)?;
        for (key, hold) in [("has", Hold::Has), ("uses", Hold::Uses)] {
            let words = self.list(hold);
            if !words.is_empty() {
                write!(formatter, " {key}={}", words.join(","))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "sesinfra1 owner=3f2a91bc04de has=dkim:s1,mail-from:mail,dmarc";

    #[test]
    fn a_claim_is_written_as_it_is_read() {
        let full = "sesinfra1 owner=3f2a91bc04de has=easy:old,easy1:a,easy2:b,mail-from:mail uses=dmarc,tracking";
        for text in [EXAMPLE, full, "sesinfra1 owner=3f2a91bc04de has=mx:mail uses=spf:mail"] {
            assert_eq!(Claim::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_claim_names_records_by_their_place() {
        let claim = Claim::parse(EXAMPLE).unwrap();
        let places: Vec<(String, RecordType)> =
            claim.entries.keys().map(|entry| (entry.name("pivot.app"), entry.kind())).collect();
        assert_eq!(
            places,
            [
                ("s1._domainkey.pivot.app".to_owned(), RecordType::Txt),
                ("mail.pivot.app".to_owned(), RecordType::Mx),
                ("mail.pivot.app".to_owned(), RecordType::Txt),
                ("_dmarc.pivot.app".to_owned(), RecordType::Txt),
            ]
        );
    }

    #[test]
    fn other_texts_and_other_versions_are_no_claims() {
        for text in
            ["", "v=spf1 -all", "sesinfra2 owner=a has=dmarc", "sesinfra1", "sesinfra1 has=dmarc"]
        {
            assert_eq!(Claim::parse(text), None, "{text}");
        }
        // What this version does not know in a claim of this version is passed over.
        assert_eq!(Claim::parse("sesinfra1 owner=a has=new:x,dmarc").unwrap().entries.len(), 1);
    }

    #[test]
    fn labels_and_entries_belong_together() {
        for entry in [
            Entry::EasyDkim { number: 2, token: "abc".to_owned() },
            Entry::DkimKey("s1".to_owned()),
            Entry::MailFromMx("mail".to_owned()),
            Entry::MailFromSpf("a.b".to_owned()),
            Entry::Dmarc,
            Entry::Tracking,
        ] {
            let name = entry.name("pivot.app");
            assert_eq!(Entry::of(&entry.label(), &name, "pivot.app"), Some(entry));
        }
    }

    #[test]
    fn a_retired_alias_is_still_the_same_record() {
        let claim = Claim::parse("sesinfra1 owner=a has=easy:abc").unwrap();
        let entry = Entry::EasyDkim { number: 1, token: "abc".to_owned() };
        assert_eq!(claim.hold(&entry), Some(Hold::Has));
        assert_eq!(claim.hold(&Entry::Dmarc), None);
    }
}
