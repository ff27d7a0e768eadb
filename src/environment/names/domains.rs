//! Domain names: lower-case, without a trailing dot, ASCII.
//!
//! A name in another script must be written in its `xn--` form: a letter that only looks like a Latin one would
//! otherwise pass for a domain that it is not.

use super::{NameError, text_name};

text_name! {
    /// A domain name of at least two labels, lower-case and without a trailing dot.
    DomainName, "domain", domain
}

impl DomainName {
    /// Whether this name is `parent` itself or a name under it.
    #[must_use]
    pub fn is_within(&self, parent: &DomainName) -> bool {
        self == parent || self.is_under(parent)
    }

    /// Whether this name is under `parent`, and not `parent` itself.
    #[must_use]
    pub fn is_under(&self, parent: &DomainName) -> bool {
        self.as_str()
            .strip_suffix(parent.as_str())
            .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
    }

    /// The name one label further down: `mail` of `pivot.app` is `mail.pivot.app`.
    /// Fails where the label or the whole is no longer a domain name.
    pub fn child(&self, label: &str) -> Result<DomainName, NameError> {
        DomainName::parse(&format!("{label}.{self}"))
    }

    /// The name and its parents, from the name itself up to the one with two labels.
    pub fn lineage(&self) -> impl Iterator<Item = DomainName> {
        std::iter::successors(Some(self.clone()), DomainName::parent)
    }

    /// The name without its first label, unless only one label would be left.
    #[must_use]
    pub fn parent(&self) -> Option<DomainName> {
        let (_, rest) = self.as_str().split_once('.')?;
        DomainName::parse(rest).ok()
    }
}

text_name! {
    /// A MAIL FROM name as it is written: one label (`mail`, put before the identity's domain) or the full name
    /// (`mail.pivot.app`).
    MailFromName, "mail-from", |text| {
        if text.contains('.') {
            return domain(text);
        }
        let label = text.to_ascii_lowercase();
        check_label(&label).map_err(|reason| NameError::new(
            reason,
            "write one label such as `mail`, or the full name such as `mail.example.com`",
        ))?;
        Ok(label)
    }
}

impl MailFromName {
    /// The full name for an identity of `domain`: a single label stands before the domain, a full name for itself.
    /// Fails if the composed name is too long to be a domain name.
    pub fn under(&self, domain: &DomainName) -> Result<DomainName, NameError> {
        match self.as_str().contains('.') {
            true => DomainName::parse(self.as_str()),
            false => domain.child(self.as_str()),
        }
    }
}

/// Checks a domain name and gives its normal form.
fn domain(text: &str) -> Result<String, NameError> {
    if text.is_empty() {
        return Err(NameError::new("is empty", "write a domain such as `example.com`"));
    }
    if text.contains("://") || text.contains('/') {
        return Err(NameError::new(
            "is a URL, not a domain",
            "write the host name alone, such as `example.com`",
        ));
    }
    if text.contains('@') {
        return Err(NameError::new(
            "is an e-mail address, not a domain",
            "write what follows the `@`",
        ));
    }
    if let Some(wrong) = text.chars().find(|character| !character.is_ascii()) {
        return Err(NameError::new(
            format!("contains {wrong:?}, which is not an ASCII letter and may only look like one"),
            "write an internationalised name in its ASCII form, which starts with `xn--`",
        ));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    // The limit of the wire form is 255 octets, length bytes included: 253 as text (RFC 1035).
    if name.len() > 253 {
        return Err(NameError::new(
            format!("is {} characters long", name.len()),
            "use at most 253 characters",
        ));
    }
    let remedy =
        "use labels of letters, digits and `-`, separated by dots, such as `mail.example.com`";
    for label in name.split('.') {
        check_label(label).map_err(|reason| NameError::new(reason, remedy))?;
    }
    let Some((_, top)) = name.rsplit_once('.') else {
        return Err(NameError::new(
            "has only one label",
            "write the whole domain, such as `example.com`",
        ));
    };
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NameError::new(
            "is an IP address or ends in a number",
            "write a domain such as `example.com`",
        ));
    }
    Ok(name)
}

fn check_label(label: &str) -> Result<(), String> {
    if label.is_empty() {
        return Err("has an empty label".to_owned());
    }
    if label.len() > 63 {
        return Err(format!("has a label of {} characters, where 63 are allowed", label.len()));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("has a label that starts or ends with `-`".to_owned());
    }
    match label.chars().find(|character| !character.is_ascii_alphanumeric() && *character != '-') {
        Some('*') => Err("has a wildcard".to_owned()),
        Some(wrong) => Err(format!("contains {wrong:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_lower_case_and_has_no_trailing_dot() {
        assert_eq!(DomainName::parse("Pivot.APP.").unwrap().as_str(), "pivot.app");
    }

    #[test]
    fn what_is_not_a_domain_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "is empty"),
            ("localhost", "has only one label"),
            ("-a.example.com", "has a label that starts or ends with `-`"),
            ("a..example.com", "has an empty label"),
            ("exa mple.com", "contains ' '"),
            ("exa_mple.com", "contains '_'"),
            ("*.example.com", "has a wildcard"),
            ("https://example.com", "is a URL, not a domain"),
            ("a@example.com", "is an e-mail address, not a domain"),
            ("10.0.0.1", "is an IP address or ends in a number"),
        ] {
            assert_eq!(DomainName::parse(text).unwrap_err().reason, reason, "{text}");
        }
        assert!(DomainName::parse(&format!("{}.com", "a".repeat(64))).is_err());
        assert!(DomainName::parse(&format!("{}com", "abcdefg.".repeat(32))).is_err());
    }

    #[test]
    fn a_cyrillic_look_alike_is_refused_and_its_ascii_form_accepted() {
        let error = DomainName::parse("p\u{456}vot.app").unwrap_err();
        assert!(error.remedy.contains("xn--"), "{error:?}");
        assert!(DomainName::parse("xn--pvot-l2a.app").is_ok());
    }

    #[test]
    fn a_name_is_under_its_parent_only_at_a_label_boundary() {
        let parent = DomainName::parse("pivot.app").unwrap();
        assert!(DomainName::parse("mail.pivot.app").unwrap().is_under(&parent));
        assert!(!DomainName::parse("mailpivot.app").unwrap().is_within(&parent));
        assert!(!parent.is_under(&parent));
        assert!(parent.is_within(&parent));
    }

    #[test]
    fn a_mail_from_is_a_label_before_the_domain_or_a_full_name() {
        let domain = DomainName::parse("pivot.app").unwrap();
        let full = |text| MailFromName::parse(text).unwrap().under(&domain).unwrap().to_string();
        assert_eq!(full("mail"), "mail.pivot.app");
        assert_eq!(full("Bounce.Pivot.app"), "bounce.pivot.app");
        assert_eq!(full("mail.example.org"), "mail.example.org");
    }
}
