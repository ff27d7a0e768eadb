//! The roles, users and groups that an environment's file refers to.

use std::collections::BTreeMap;

use chrono::Utc;
use fakecloud_iam::{IamGroup, IamRole, IamUser};
use serde_json::{Value, json};
use sesinfra::environment::types::Settings;

use super::{Place, streams};

pub(super) fn seed(place: &Place<'_>, settings: &Settings) {
    let everything = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]);
    let zones = json!([{ "Effect": "Allow", "Action": "route53:*", "Resource": "*" }]);
    let firehose = json!([{ "Effect": "Allow", "Action": ["firehose:PutRecord", "firehose:PutRecordBatch"], "Resource": "*" }]);
    let ours = json!({ "AWS": format!("arn:aws:iam::{}:root", place.account) });
    if let Some(role) = &settings.aws.role {
        place.role(role.as_str(), &ours, Some(&everything));
    }
    for role in settings.zones.values().filter_map(|zone| zone.role.as_ref()) {
        place.role(role.as_str(), &ours, Some(&zones));
    }
    let ses = json!({ "Service": "ses.amazonaws.com" });
    for stream in streams(settings) {
        let arn = match stream.role.named() {
            Some(name) => format!("arn:aws:iam::{}:role/{name}", place.account),
            None => stream.role.to_string(),
        };
        place.role(&arn, &ses, Some(&firehose));
    }
    let machines = json!({ "Service": "ec2.amazonaws.com" });
    for policy in settings.send_policies.values() {
        for name in &policy.attach.roles {
            place.role(&format!("arn:aws:iam::{}:role/{name}", place.account), &machines, None);
        }
        for name in &policy.attach.users {
            place.user(&format!("arn:aws:iam::{}:user/{name}", place.account));
        }
        for name in &policy.attach.groups {
            place.group(name.as_str());
        }
    }
    let senders = settings.identities.values().flat_map(|identity| identity.policies.values());
    for principal in senders.flat_map(|policy| &policy.principals).map(ToString::to_string) {
        if principal.contains(":role/") {
            place.role(&principal, &ours, None);
        } else if principal.contains(":user/") {
            place.user(&principal);
        }
    }
}

/// Account, path and name of a role's or user's ARN.
fn parts<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, String, &'a str)> {
    let account = arn.split(':').nth(4)?;
    let resource = arn.split_once(&format!(":{kind}/")).map(|(_, resource)| resource)?;
    let (path, name) = resource
        .rsplit_once('/')
        .map_or((String::new(), resource), |(path, name)| (format!("{path}/"), name));
    Some((account, format!("/{path}"), name))
}

impl Place<'_> {
    fn role(&self, arn: &str, trusted: &Value, may: Option<&Value>) {
        let Some((account, path, name)) = parts(arn, "role") else { return };
        let mut accounts = self.world.iam.write();
        let state = accounts.get_or_create(account);
        if state.roles.contains_key(name) {
            return;
        }
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole" },
        ] });
        let role = IamRole {
            role_name: name.to_owned(),
            role_id: id("AROA", account, name),
            arn: arn.to_owned(),
            path,
            assume_role_policy_document: trust.to_string(),
            created_at: Utc::now(),
            description: None,
            max_session_duration: 3600,
            tags: Vec::new(),
            permissions_boundary: None,
        };
        state.roles.insert(name.to_owned(), role);
        if let Some(statements) = may {
            let document = json!({ "Version": "2012-10-17", "Statement": statements });
            let inline = state.role_inline_policies.entry(name.to_owned()).or_default();
            inline.insert("seed".to_owned(), document.to_string());
        }
    }

    fn user(&self, arn: &str) {
        let Some((account, path, name)) = parts(arn, "user") else { return };
        let mut accounts = self.world.iam.write();
        let users = &mut accounts.get_or_create(account).users;
        users.entry(name.to_owned()).or_insert_with(|| IamUser {
            user_name: name.to_owned(),
            user_id: id("AIDA", account, name),
            arn: arn.to_owned(),
            path,
            created_at: Utc::now(),
            tags: Vec::new(),
            permissions_boundary: None,
        });
    }

    fn group(&self, name: &str) {
        let mut accounts = self.world.iam.write();
        let groups = &mut accounts.get_or_create(self.account).groups;
        groups.entry(name.to_owned()).or_insert_with(|| IamGroup {
            group_name: name.to_owned(),
            group_id: id("AGPA", self.account, name),
            arn: format!("arn:aws:iam::{}:group/{name}", self.account),
            path: "/".to_owned(),
            created_at: Utc::now(),
            members: Vec::new(),
            inline_policies: BTreeMap::new(),
            attached_policies: Vec::new(),
        });
    }
}

/// A unique id of an IAM entity, which no two names share.
fn id(kind: &str, account: &str, name: &str) -> String {
    let upper: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{kind}{account}{}", upper.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_have_a_path() {
        let parsed = parts("arn:aws:iam::123456789012:role/service/mail/firehose", "role");
        assert_eq!(parsed, Some(("123456789012", "/service/mail/".to_owned(), "firehose")));
        assert_eq!(parts("arn:aws:iam::1:role/x", "role"), Some(("1", "/".to_owned(), "x")));
    }
}
