//! Names that AWS gives: accounts, Regions, ARNs, KMS keys, principals.

use super::labels::run_of;
use super::{NameError, text_name};

text_name! {
    /// An AWS account id: 12 digits, kept as text because leading zeros count.
    AccountId, "account-id", account
}

text_name! {
    /// An AWS Region such as `us-east-1`. Only the form is checked: Regions are added without notice.
    Region, "region", region
}

text_name! {
    /// Any ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
    Arn, "arn", |text| parts(text).map(|_| text.to_owned())
}

text_name! {
    /// The ARN of an IAM role.
    RoleArn, "role-arn", |text| {
        arn_of(text, "iam", "role/", "arn:aws:iam::123456789012:role/sesinfra")
    }
}

text_name! {
    /// An IAM path: `/`, or a path that starts and ends with `/` (IAM API: at most 512 characters).
    IamPath, "iam-path", |text| {
        let remedy = "write `/`, or a path such as `/mail/`";
        if !text.starts_with('/') || !text.ends_with('/') {
            return Err(NameError::new("does not start and end with `/`", remedy));
        }
        run_of(text, 512, |character| ('\u{21}'..='\u{7e}').contains(&character), "printable ASCII characters")
    }
}

text_name! {
    /// A KMS key: its id, its ARN, or an alias (`alias/mail` or the alias's ARN).
    KeyReference, "key", key
}

text_name! {
    /// Who may send for an identity: an account id, or the ARN of an account, role or user.
    Principal, "principal", |text| match text.starts_with("arn:") {
        true => {
            let example = "arn:aws:iam::123456789012:role/mailer";
            for resource in ["role/", "user/", "root"] {
                if let Ok(arn) = arn_of(text, "iam", resource, example) {
                    return Ok(arn);
                }
            }
            Err(NameError::new("is not the ARN of an account, role or user", format!("write an ARN such as `{example}`")))
        }
        false if text == "*" => Err(NameError::new(
            "lets every AWS account send as this identity",
            "name the accounts, roles or users that may send",
        )),
        false => account(text).map_err(|error| NameError::new(
            error.reason,
            "write an account id of 12 digits, or the ARN of a role or user",
        )),
    }
}

impl Arn {
    /// The service: `sns`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The Region, empty for a global service.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account id; empty where the ARN has none.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Everything after the account: `topic-name`, `role/path/name`, `identity/example.com`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.as_str().splitn(6, ':').nth(index).unwrap_or_default()
    }
}

/// Accepts an ARN of one service whose resource starts with `resource` and goes on.
pub(super) fn arn_of(
    text: &str,
    service: &str,
    resource: &str,
    example: &str,
) -> Result<String, NameError> {
    let remedy = || format!("write an ARN such as `{example}`");
    let [_, found, _, _, name] =
        parts(text).map_err(|error| NameError::new(error.reason, remedy()))?;
    if found != service {
        return Err(NameError::new(
            format!("is an ARN of `{found}`, not of `{service}`"),
            remedy(),
        ));
    }
    let rest = name.strip_prefix(resource);
    // A resource type ends in a separator and needs a name after it; `root` is a whole resource.
    let complete = match resource.ends_with(['/', ':']) {
        true => rest.is_some_and(|rest| !rest.is_empty()),
        false => resource.is_empty() || rest == Some(""),
    };
    match complete {
        true => Ok(text.to_owned()),
        false => Err(NameError::new(
            format!("is not the ARN of a `{}`", resource.trim_end_matches(['/', ':'])),
            remedy(),
        )),
    }
}

/// Splits an ARN into partition, service, Region, account and resource.
fn parts(text: &str) -> Result<[&str; 5], NameError> {
    let remedy = "write `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`";
    let wrong = |reason: &str| NameError::new(reason, remedy);
    if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(wrong("contains white space"));
    }
    let mut pieces = text.splitn(6, ':');
    let mut next = || pieces.next();
    let (Some("arn"), Some(partition), Some(service), Some(region), Some(owner), Some(resource)) =
        (next(), next(), next(), next(), next(), next())
    else {
        return Err(wrong("is not an ARN"));
    };
    if partition.is_empty() || service.is_empty() || resource.is_empty() {
        return Err(wrong("is an ARN with an empty part"));
    }
    // `aws` stands for AWS itself in the ARNs of managed policies.
    if !owner.is_empty() && owner != "aws" {
        account(owner)
            .map_err(|error| wrong(&format!("has an account id that {}", error.reason)))?;
    }
    Ok([partition, service, region, owner, resource])
}

fn account(text: &str) -> Result<String, NameError> {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    if !digits.is_empty()
        && digits.chars().all(|character| character.is_ascii_digit())
        && text.contains('-')
    {
        return Err(NameError::new("contains `-`", format!("write the digits alone: `{digits}`")));
    }
    let remedy = "an account id is 12 digits in quotes, such as `\"123456789012\"`";
    if let Some(wrong) = text.chars().find(|character| !character.is_ascii_digit()) {
        return Err(NameError::new(format!("contains {wrong:?}"), remedy));
    }
    match text.len() {
        12 => Ok(text.to_owned()),
        length => Err(NameError::new(format!("has {length} digits"), remedy)),
    }
}

fn region(text: &str) -> Result<String, NameError> {
    let pieces: Vec<&str> = text.split('-').collect();
    let letters =
        |piece: &&str| !piece.is_empty() && piece.chars().all(|letter| letter.is_ascii_lowercase());
    let well_formed = match pieces.split_last() {
        Some((number, words)) => {
            words.len() >= 2
                && words.iter().all(letters)
                && words.first().is_some_and(|word| word.len() == 2)
                && number.len() == 1
                && number.chars().all(|digit| digit.is_ascii_digit())
        }
        None => false,
    };
    match well_formed {
        true => Ok(text.to_owned()),
        false => Err(NameError::new("is not a Region", "write a Region such as `us-east-1`")),
    }
}

fn key(text: &str) -> Result<String, NameError> {
    let remedy = "write a key id, a key ARN, or an alias such as `alias/mail`";
    if text.starts_with("arn:") {
        let example = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        return arn_of(text, "kms", "key/", example)
            .or_else(|_| arn_of(text, "kms", "alias/", example));
    }
    let name = text.strip_prefix("alias/").unwrap_or(text);
    let allowed = |character: char| character.is_ascii_alphanumeric() || "/_-".contains(character);
    run_of(name, 250, allowed, "letters, digits, `/`, `_` and `-`")
        .map_err(|error| NameError::new(error.reason, remedy))?;
    // A key id is a UUID, or `mrk-` and 32 hex digits; anything else without `alias/` is a forgotten prefix.
    let id = name.len() >= 32 && name.chars().filter(char::is_ascii_digit).count() > 0;
    match text.starts_with("alias/") || id {
        true => Ok(text.to_owned()),
        false => Err(NameError::new(
            "is neither a key id nor an alias",
            format!("write `alias/{text}` for an alias"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        assert!(AccountId::parse("012345678901").is_ok());
        assert_eq!(AccountId::parse("12345").unwrap_err().reason, "has 5 digits");
        assert!(AccountId::parse("1234-5678-9012").unwrap_err().remedy.contains("`123456789012`"));
        assert!(AccountId::parse("12345678901x").is_err());
    }

    #[test]
    fn a_region_is_checked_by_its_form() {
        for right in ["us-east-1", "ap-southeast-5", "us-gov-west-1", "il-central-1"] {
            assert!(Region::parse(right).is_ok(), "{right}");
        }
        for wrong in ["us-east", "useast1", "US-EAST-1", "us-east-1a", "virginia", "", "-", "us--1"]
        {
            assert!(Region::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_arn_gives_its_parts() {
        let arn = Arn::parse("arn:aws:sns:us-east-1:123456789012:ses:feedback").unwrap();
        assert_eq!(
            (arn.service(), arn.region(), arn.account()),
            ("sns", "us-east-1", "123456789012")
        );
        assert_eq!(arn.resource(), "ses:feedback");
        for wrong in [
            "arn:aws:sns",
            "aws:sns:us-east-1:123456789012:x",
            "arn:aws:sns:us-east-1:12:x",
            "arn:aws:sns:::",
        ] {
            assert!(Arn::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_arn_of_the_wrong_service_says_which_it_is() {
        let error = RoleArn::parse("arn:aws:sns:us-east-1:123456789012:feedback").unwrap_err();
        assert_eq!(error.reason, "is an ARN of `sns`, not of `iam`");
        assert!(RoleArn::parse("arn:aws:iam::123456789012:user/ann").is_err());
        assert!(RoleArn::parse("arn:aws:iam::123456789012:role/").is_err());
        assert!(RoleArn::parse("arn:aws:iam::123456789012:role/ops/sesinfra").is_ok());
    }

    #[test]
    fn a_principal_is_an_account_role_or_user_and_never_everybody() {
        for right in
            ["123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/ann"]
        {
            assert!(Principal::parse(right).is_ok(), "{right}");
        }
        assert!(Principal::parse("*").is_err());
        assert!(Principal::parse("arn:aws:iam::123456789012:rooter").is_err());
        assert!(Principal::parse("arn:aws:sns:us-east-1:123456789012:x").is_err());
    }

    #[test]
    fn a_key_is_an_id_an_arn_or_an_alias() {
        for right in [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "alias/mail",
            "arn:aws:kms:us-east-1:123456789012:alias/mail",
        ] {
            assert!(KeyReference::parse(right).is_ok(), "{right}");
        }
        assert!(KeyReference::parse("mail").unwrap_err().remedy.contains("alias/mail"));
    }
}
