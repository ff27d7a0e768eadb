//! The text of a DMARC record, from the words of an environment file.
//!
//! Invariant: equal settings give equal texts, and what has its default value is left out, so that a record says
//! exactly what somebody decided.

use std::collections::BTreeSet;

use crate::environment::names::EmailAddress;
use crate::environment::types::{AlignmentMode, Dmarc, DmarcPolicy, FailureOption, PublicSuffix};

/// The record as RFC 9989 writes it: `v=DMARC1; p=quarantine; rua=mailto:dmarc@pivot.app`.
pub(super) fn text(dmarc: &Dmarc) -> String {
    let strict = |mode| (mode == AlignmentMode::Strict).then(|| "s".to_owned());
    let tags = [
        ("v", Some("DMARC1".to_owned())),
        ("p", Some(policy(dmarc.policy))),
        ("sp", dmarc.subdomain_policy.map(policy)),
        ("np", dmarc.non_existent_subdomain_policy.map(policy)),
        ("t", dmarc.testing.then(|| "y".to_owned())),
        ("rua", addresses(&dmarc.reports_to)),
        ("ruf", addresses(&dmarc.failure_reports_to)),
        ("fo", failure_options(&dmarc.failure_options)),
        ("adkim", strict(dmarc.alignment.dkim)),
        ("aspf", strict(dmarc.alignment.spf)),
        ("psd", dmarc.public_suffix.map(public_suffix)),
    ];
    let tags = tags.into_iter().filter_map(|(tag, value)| Some(format!("{tag}={}", value?)));
    tags.collect::<Vec<_>>().join("; ")
}

fn policy(policy: DmarcPolicy) -> String {
    let word = match policy {
        DmarcPolicy::None => "none",
        DmarcPolicy::Quarantine => "quarantine",
        DmarcPolicy::Reject => "reject",
    };
    word.to_owned()
}

fn public_suffix(suffix: PublicSuffix) -> String {
    let letter = match suffix {
        PublicSuffix::Yes => "y",
        PublicSuffix::No => "n",
    };
    letter.to_owned()
}

fn failure_options(options: &BTreeSet<FailureOption>) -> Option<String> {
    let letter = |option: &FailureOption| match option {
        FailureOption::All => "0",
        FailureOption::Any => "1",
        FailureOption::Dkim => "d",
        FailureOption::Spf => "s",
    };
    let is_default = options.iter().eq([&FailureOption::All]);
    let letters: Vec<&str> = options.iter().map(letter).collect();
    (!letters.is_empty() && !is_default).then(|| letters.join(":"))
}

fn addresses(addresses: &BTreeSet<EmailAddress>) -> Option<String> {
    let urls: Vec<String> = addresses.iter().map(mailto).collect();
    (!urls.is_empty()).then(|| urls.join(","))
}

/// A `mailto:` URL. Commas, semicolons and exclamation marks mean something in a DMARC record (RFC 9989), and others
/// do in a URL, so all but plain characters are written as `%XX`.
fn mailto(address: &EmailAddress) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte);
    let local = address.local().bytes().map(|byte| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    format!("mailto:{}@{}", local.collect::<String>(), address.domain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::types::Alignment;

    fn plain(policy: DmarcPolicy) -> Dmarc {
        Dmarc {
            policy,
            subdomain_policy: None,
            non_existent_subdomain_policy: None,
            testing: false,
            reports_to: BTreeSet::new(),
            failure_reports_to: BTreeSet::new(),
            failure_options: BTreeSet::new(),
            alignment: Alignment::default(),
            public_suffix: None,
        }
    }

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn what_has_its_default_is_left_out() {
        assert_eq!(text(&plain(DmarcPolicy::None)), "v=DMARC1; p=none");
        let mut dmarc = plain(DmarcPolicy::Reject);
        dmarc.failure_options = BTreeSet::from([FailureOption::All]);
        assert_eq!(text(&dmarc), "v=DMARC1; p=reject");
    }

    #[test]
    fn every_setting_has_its_tag_in_the_order_of_the_standard() {
        let dmarc = Dmarc {
            policy: DmarcPolicy::Quarantine,
            subdomain_policy: Some(DmarcPolicy::Reject),
            non_existent_subdomain_policy: Some(DmarcPolicy::Reject),
            testing: true,
            reports_to: BTreeSet::from([address("b@pivot.app"), address("a@pivot.app")]),
            failure_reports_to: BTreeSet::from([address("forensic@pivot.app")]),
            failure_options: BTreeSet::from([
                FailureOption::Spf,
                FailureOption::Any,
                FailureOption::Dkim,
            ]),
            alignment: Alignment { dkim: AlignmentMode::Strict, spf: AlignmentMode::Strict },
            public_suffix: Some(PublicSuffix::No),
        };
        assert_eq!(
            text(&dmarc),
            "v=DMARC1; p=quarantine; sp=reject; np=reject; t=y; rua=mailto:a@pivot.app,mailto:b@pivot.app; \
             ruf=mailto:forensic@pivot.app; fo=1:d:s; adkim=s; aspf=s; psd=n"
        );
    }

    #[test]
    fn an_address_cannot_break_out_of_its_tag() {
        let mut dmarc = plain(DmarcPolicy::None);
        dmarc.reports_to = BTreeSet::from([address("a!b%c+d@pivot.app")]);
        assert_eq!(text(&dmarc), "v=DMARC1; p=none; rua=mailto:a%21b%25c+d@pivot.app");
    }
}
