//! `sesinfra permissions`: the least that a role needs to plan or apply an environment.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::Run;
use super::arguments::environment;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use crate::aws::{Arns, PrivateKeys};
use crate::blueprint::permissions;
use crate::environment::names::FileName;
use crate::kinds::{Phase, documentation};

/// What GitHub's tokens are issued by.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// Print the IAM policy that planning or applying an environment needs, and no more
///
/// The policy is for exactly this environment as its file is now. It is printed as JSON, for `aws iam create-policy` or any
/// other tool. What the file no longer declares is not covered: to delete it, use the permissions of the file before.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// What `plan` needs: reading only
    #[arg(long, conflicts_with = "apply")]
    plan: bool,

    /// What `apply` and `destroy` need [default]
    #[arg(long)]
    apply: bool,

    /// What `status`, `quota` and `access` need: reading only
    #[arg(long, conflicts_with_all = ["plan", "apply"])]
    status: bool,

    /// What `access --request` and `quota --request` need too; for a person, rather than for a job
    #[arg(long, conflicts_with_all = ["plan", "apply", "status"])]
    request: bool,

    /// Print the trust policy of a role for GitHub Actions instead: which workflow may assume it
    ///
    /// `OWNER/REPOSITORY:pull_request` for plans on pull requests, `OWNER/REPOSITORY:environment:NAME` for applying from a
    /// protected environment, `OWNER/REPOSITORY:ref:refs/heads/BRANCH` for a branch.
    #[arg(long, value_name = "SUBJECT", value_parser = subject, conflicts_with_all = ["plan", "apply", "status", "request"])]
    trust_github: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra permissions staging --plan > plan-policy.json
  sesinfra permissions prod > apply-policy.json
  sesinfra permissions prod --trust-github pivot/infrastructure:environment:production";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let opened = run.open(&arguments.environment, PrivateKeys::Untouched).await?;
    let document = if let Some(subject) = &arguments.trust_github {
        trust(&opened.session.arns, subject)
    } else {
        let phase = match arguments {
            Arguments { plan: true, .. } => Phase::Plan,
            Arguments { status: true, .. } => Phase::Status,
            Arguments { request: true, .. } => Phase::Request,
            _ => Phase::Apply,
        };
        let settings = &opened.environment.settings;
        let policy = permissions(settings, &opened.facts, &opened.blueprint.graph, phase);
        let mut document = serde_json::from_str(&policy.document()).map_err(Failure::internal)?;
        spell_actions(&mut document);
        document
    };
    run.answer(&format!("{document:#}\n"))?;
    Ok(Exit::Done)
}

/// Actions that no kind documents, since they are about the run as a whole.
const OF_RUNS: [&str; 5] = [
    "servicequotas:ListServiceQuotas",
    "ssm:DeleteParameter",
    "ssm:GetParameter",
    "ssm:PutParameter",
    "sts:AssumeRole",
];

/// Writes actions as AWS's documentation does. IAM does not tell them apart, but whoever reads the policy does.
fn spell_actions(policy: &mut Value) {
    let kinds = documentation();
    let documented = kinds.iter().flat_map(|kind| kind.permissions).map(|one| one.action);
    let spellings: BTreeMap<String, &str> =
        documented.chain(OF_RUNS).map(|action| (action.to_ascii_lowercase(), action)).collect();
    let spell = |action: &mut Value| {
        if let Some(spelling) = action.as_str().and_then(|action| spellings.get(action)) {
            *action = (*spelling).into();
        }
    };
    for statement in policy["Statement"].as_array_mut().into_iter().flatten() {
        match &mut statement["Action"] {
            Value::Array(actions) => actions.iter_mut().for_each(spell),
            action => spell(action),
        }
    }
}

/// Who may assume the role. IAM refuses a trust in GitHub without a `sub`, and a wildcard there would let any workflow of
/// any repository in (IAM user guide, "Create a role for `OpenID` Connect federation").
fn trust(arns: &Arns, subject: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": arns.oidc_provider(GITHUB) },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{GITHUB}:aud"): "sts.amazonaws.com",
                format!("{GITHUB}:sub"): format!("repo:{subject}"),
            }},
        }],
    })
}

/// Reads `OWNER/REPOSITORY:WHAT`.
fn subject(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("repo:").unwrap_or(text);
    let (repository, what) = text.split_once(':').unwrap_or((text, ""));
    let names: Vec<&str> = repository.split('/').collect();
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
    };
    if names.len() != 2 || !names.iter().all(is_name) {
        return Err("write OWNER/REPOSITORY:environment:NAME".to_owned());
    }
    let is_known = what == "pull_request"
        || ["environment:", "ref:refs/heads/", "ref:refs/tags/"]
            .iter()
            .any(|kind| what.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    if !is_known || what.contains('*') {
        return Err("say which workflow: `:pull_request`, `:environment:NAME` or `:ref:refs/heads/BRANCH`, without a wildcard".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_spelled_as_in_the_documentation_of_aws() {
        let mut policy = json!({ "Statement": [{ "Action": ["ses:getemailidentity", "ssm:putparameter"] }, { "Action": "iam:passrole" }] });
        spell_actions(&mut policy);
        let spelled = json!({ "Statement": [{ "Action": ["ses:GetEmailIdentity", "ssm:PutParameter"] }, { "Action": "iam:PassRole" }] });
        assert_eq!(policy, spelled);
    }

    #[test]
    fn a_subject_names_one_repository_and_one_kind_of_workflow() {
        for good in [
            "pivot/infra:pull_request",
            "pivot/infra:environment:production",
            "repo:pivot/infra:ref:refs/heads/main",
        ] {
            assert!(subject(good).is_ok(), "{good}");
        }
        for bad in [
            "pivot",
            "pivot/infra",
            "pivot/*:pull_request",
            "pivot/infra:*",
            "pivot/infra:environment:",
            "pivot/infra:environment:*",
        ] {
            assert!(subject(bad).is_err(), "{bad}");
        }
    }
}
