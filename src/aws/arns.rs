//! Every ARN that follows from partition, account, Region and name, composed in one place.

use crate::environment::names::{AccountId, Region};

/// Composes the ARNs of one account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arns {
    partition: &'static str,
    account: AccountId,
    region: Region,
}

impl Arns {
    /// The ARNs of an account and Region; the partition follows from the Region.
    #[must_use]
    pub fn new(account: AccountId, region: Region) -> Self {
        Self { partition: partition_of(&region), account, region }
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub const fn partition(&self) -> &'static str {
        self.partition
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The Region.
    #[must_use]
    pub const fn region(&self) -> &Region {
        &self.region
    }

    /// An SES identity: a domain or an address.
    #[must_use]
    pub fn identity(&self, name: &str) -> String {
        self.regional("ses", &format!("identity/{name}"))
    }

    /// An SES configuration set.
    #[must_use]
    pub fn configuration_set(&self, name: &str) -> String {
        self.regional("ses", &format!("configuration-set/{name}"))
    }

    /// An SES identity in another Region of the account.
    #[must_use]
    pub fn identity_in(&self, region: &str, name: &str) -> String {
        format!("arn:{}:ses:{region}:{}:identity/{name}", self.partition, self.account)
    }

    /// A dedicated IP pool of SES.
    #[must_use]
    pub fn dedicated_ip_pool(&self, name: &str) -> String {
        self.regional("ses", &format!("dedicated-ip-pool/{name}"))
    }

    /// An SES e-mail template.
    #[must_use]
    pub fn template(&self, name: &str) -> String {
        self.regional("ses", &format!("template/{name}"))
    }

    /// An SNS topic.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        self.regional("sns", name)
    }

    /// An SQS queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        self.regional("sqs", name)
    }

    /// A Firehose delivery stream.
    #[must_use]
    pub fn stream(&self, name: &str) -> String {
        self.regional("firehose", &format!("deliverystream/{name}"))
    }

    /// A CloudWatch alarm.
    #[must_use]
    pub fn alarm(&self, name: &str) -> String {
        self.regional("cloudwatch", &format!("alarm:{name}"))
    }

    /// A quota of a service, by its code.
    #[must_use]
    pub fn quota(&self, service: &str, code: &str) -> String {
        self.regional("servicequotas", &format!("{service}/{code}"))
    }

    /// An EventBridge bus.
    #[must_use]
    pub fn event_bus(&self, name: &str) -> String {
        self.regional("events", &format!("event-bus/{name}"))
    }

    /// A Lambda function.
    #[must_use]
    pub fn function(&self, name: &str) -> String {
        self.regional("lambda", &format!("function:{name}"))
    }

    /// A customer-managed IAM policy; `path` starts and ends with `/`.
    #[must_use]
    pub fn policy(&self, path: &str, name: &str) -> String {
        self.global("iam", &format!("policy{path}{name}"))
    }

    /// An IAM role without a path.
    #[must_use]
    pub fn role(&self, name: &str) -> String {
        self.global("iam", &format!("role/{name}"))
    }

    /// An IAM user without a path.
    #[must_use]
    pub fn user(&self, name: &str) -> String {
        self.global("iam", &format!("user/{name}"))
    }

    /// An IAM group without a path.
    #[must_use]
    pub fn group(&self, name: &str) -> String {
        self.global("iam", &format!("group/{name}"))
    }

    /// An SSM parameter; a leading slash is part of its name, not of its ARN.
    #[must_use]
    pub fn parameter(&self, name: &str) -> String {
        self.regional("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
    }

    /// A secret in Secrets Manager, by name and the characters that AWS appends.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        self.regional("secretsmanager", &format!("secret:{name}"))
    }

    /// A KMS key, by id.
    #[must_use]
    pub fn key(&self, id: &str) -> String {
        self.regional("kms", &format!("key/{id}"))
    }

    /// An OIDC provider of IAM.
    #[must_use]
    pub fn oidc_provider(&self, host: &str) -> String {
        self.global("iam", &format!("oidc-provider/{host}"))
    }

    /// A Route 53 hosted zone. Such ARNs name no account.
    #[must_use]
    pub fn hosted_zone(&self, id: &str) -> String {
        format!("arn:{}:route53:::hostedzone/{id}", self.partition)
    }

    fn regional(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition, self.account)
    }
}

fn partition_of(region: &Region) -> &'static str {
    let name = region.as_str();
    if name.starts_with("cn-") {
        "aws-cn"
    } else if name.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arns(region: &str) -> Arns {
        Arns::new(AccountId::parse("123456789012").unwrap(), Region::parse(region).unwrap())
    }

    #[test]
    fn an_arn_names_partition_region_and_account() {
        let arns = arns("us-east-1");
        assert_eq!(
            arns.identity("pivot.app"),
            "arn:aws:ses:us-east-1:123456789012:identity/pivot.app"
        );
        assert_eq!(arns.topic("feedback"), "arn:aws:sns:us-east-1:123456789012:feedback");
        assert_eq!(arns.policy("/mail/", "api"), "arn:aws:iam::123456789012:policy/mail/api");
        assert_eq!(arns.hosted_zone("Z1"), "arn:aws:route53:::hostedzone/Z1");
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        assert_eq!(arns("cn-north-1").partition(), "aws-cn");
        assert_eq!(arns("us-gov-west-1").partition(), "aws-us-gov");
        assert_eq!(arns("eu-central-1").partition(), "aws");
    }
}
