//! Production access: where an account stands, and the request that gets it out of the sandbox.
//!
//! Invariant: the request is made once. AWS takes none while it reviews one or after it denied one, and nothing takes an
//! account back.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::{ContactLanguage as SdkLanguage, MailType as SdkMailType, ReviewStatus};
use serde::Serialize;

use super::Problem;
use crate::aws::{AwsError, Session, failed};
use crate::environment::Environment;
use crate::environment::types::{ContactLanguage, MailType};

/// Where an account stands with production access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It sends to anybody.
    Granted,
    /// It is in the sandbox, and nothing was asked for.
    Sandbox,
    /// AWS is reviewing the request.
    Pending,
    /// AWS denied the request.
    Denied,
    /// AWS failed to receive the request, so it can be made again.
    Failed,
}

/// What SES says of an account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Where it stands with production access.
    pub access: Access,
    /// The support case of the review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What AWS thinks of its mail: `HEALTHY`, `PROBATION` (under review), `SHUTDOWN` (paused).
    pub enforcement: String,
    /// Whether it sends.
    pub sending: bool,
    /// Recipients that it may send to in 24 hours; none: as many as it likes.
    pub daily: Option<f64>,
    /// Recipients that it may send to in a second.
    pub per_second: f64,
    /// Recipients that it sent to in the last 24 hours.
    pub used: f64,
}

impl Standing {
    /// What an answer of SES says.
    #[must_use]
    pub fn of(account: &GetAccountOutput) -> Self {
        let review = account.details.as_ref().and_then(|details| details.review_details.as_ref());
        let access = match review.and_then(|review| review.status.as_ref()) {
            // The flag is the truth, whatever became of a review.
            _ if account.production_access_enabled => Access::Granted,
            Some(ReviewStatus::Pending) => Access::Pending,
            Some(ReviewStatus::Denied) => Access::Denied,
            Some(ReviewStatus::Failed) => Access::Failed,
            _ => Access::Sandbox,
        };
        let quota = account.send_quota.as_ref();
        Self {
            access,
            case: review.and_then(|review| review.case_id.clone()).filter(|id| !id.is_empty()),
            enforcement: account.enforcement_status.clone().unwrap_or_default(),
            sending: account.sending_enabled,
            // Less than nothing means that there is no limit.
            daily: quota.map(|quota| quota.max24_hour_send).filter(|daily| *daily >= 0.0),
            per_second: quota.map_or(0.0, |quota| quota.max_send_rate),
            used: quota.map_or(0.0, |quota| quota.sent_last24_hours),
        }
    }

    /// The share of the daily quota that is used.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.daily.filter(|daily| *daily > 0.0).map(|daily| self.used / daily)
    }

    /// What is wrong with the account itself, `warn_at` being the share of the daily quota from which on that is said.
    /// `name` is the environment's, `program` how the program is called.
    #[must_use]
    pub fn problems(&self, warn_at: f64, program: &str, name: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let case = self.case.as_ref().map(|id| format!(" (case {id})")).unwrap_or_default();
        match self.access {
            Access::Granted => {}
            Access::Sandbox | Access::Failed => problems.push(Problem::warning(
                "the account is in the SES sandbox: mail reaches verified addresses only",
                format!("ask for production access: {program} access {name}"),
            )),
            Access::Pending => problems.push(Problem::warning(
                format!(
                    "the account is in the SES sandbox, and AWS is reviewing the request{case}"
                ),
                format!("wait for the answer: {program} access {name} --watch"),
            )),
            Access::Denied => problems.push(Problem::bad(
                format!("AWS denied production access{case}: mail reaches verified addresses only"),
                format!("see the two ways on: {program} access {name}"),
            )),
        }
        match self.enforcement.as_str() {
            "HEALTHY" | "" => {}
            "PROBATION" => problems.push(Problem::warning(
                "AWS has put the account under review for its bounces or complaints",
                "read AWS's mail about it, find the cause, and answer in the support case",
            )),
            "SHUTDOWN" => problems.push(Problem::bad(
                "AWS has paused all sending of the account",
                "read AWS's mail about it, remove the cause, and ask in the support case for the pause to be lifted; \
                 nothing that is set here lifts it",
            )),
            other => problems.push(Problem::warning(
                format!("AWS calls the state of the account {other}"),
                "look at the account dashboard of SES",
            )),
        }
        if !self.sending && self.enforcement != "SHUTDOWN" {
            problems.push(Problem::bad(
                "sending is switched off for the whole account",
                "switch it on: `sending = true` in `[account]`, or find out who switched it off and why",
            ));
        }
        problems.extend(self.quota_problem(warn_at, program, name));
        problems
    }

    fn quota_problem(&self, warn_at: f64, program: &str, name: &str) -> Option<Problem> {
        let (daily, share) = (self.daily?, self.share()?);
        let what = format!(
            "{:.0} of {daily:.0} messages of the daily quota are used ({:.0} %)",
            self.used,
            share * 100.0
        );
        let remedy = format!("ask for more in time: {program} quota {name}");
        if share >= 1.0 {
            Some(Problem::bad(format!("{what}: SES refuses more"), remedy))
        } else {
            (share >= warn_at).then(|| Problem::warning(what, remedy))
        }
    }
}

/// What is sent to AWS, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Submission {
    /// `TRANSACTIONAL` or `MARKETING`.
    pub mail_type: &'static str,
    /// The website.
    #[serde(rename = "WebsiteURL")]
    pub website: String,
    /// `EN` or `JA`.
    pub contact_language: &'static str,
    /// The use case.
    pub use_case_description: String,
    /// Who else is told.
    pub additional_contact_email_addresses: Vec<String>,
    /// That this is the request, and not only details to be kept.
    pub production_access_enabled: bool,
}

/// The request as the file declares it; `None` if it declares none.
#[must_use]
pub fn submission(environment: &Environment) -> Option<Submission> {
    let declared = environment.settings.account.production_access.as_ref()?;
    let statement = environment.statement.as_ref()?;
    Some(Submission {
        mail_type: match declared.mail_type {
            MailType::Transactional => "TRANSACTIONAL",
            MailType::Marketing => "MARKETING",
        },
        website: declared.website.to_string(),
        contact_language: match declared.language {
            ContactLanguage::En => "EN",
            ContactLanguage::Ja => "JA",
        },
        use_case_description: statement.submitted.clone(),
        additional_contact_email_addresses: declared
            .contacts
            .iter()
            .map(ToString::to_string)
            .collect(),
        production_access_enabled: true,
    })
}

/// Asks AWS for production access. Starts a review, so it is called once and by one command.
pub async fn submit(session: &Session, submission: &Submission) -> Result<(), AwsError> {
    let contacts = submission.additional_contact_email_addresses.clone();
    let call = session
        .ses()
        .put_account_details()
        .mail_type(SdkMailType::from(submission.mail_type))
        .website_url(&submission.website)
        .contact_language(SdkLanguage::from(submission.contact_language))
        .set_additional_contact_email_addresses(Some(contacts))
        // The console asks for it no longer; whoever reviews reads it all the same.
        .use_case_description(&submission.use_case_description)
        .production_access_enabled(submission.production_access_enabled);
    let answer = call.send().await;
    session.forget_account();
    answer.map_err(failed("ses:PutAccountDetails", "the account")).map(drop)
}
