//! The sending quotas: what is granted, used and needed, where use is heading, and the requests for more.
//!
//! Invariant: what SES says of itself is what is granted; Service Quotas, which lags behind it, only takes requests. A
//! request is made once: never beside an open one, and not again after a refusal unless that is asked for.

use std::time::SystemTime;

use aws_sdk_servicequotas::types::{RequestStatus, RequestedServiceQuotaChange};
use serde::Serialize;

use super::access::{Access, Standing};
use super::metrics::{Count, DAYS, Daily, daily, date, day_of};
use super::trend::{Trend, trend};
use super::{Level, Problem};
use crate::aws::{AwsError, SendingQuotas, Session, failed, sending_quotas};
use crate::environment::types::QuotaWanted;

/// SES as Service Quotas calls it.
const SERVICE: &str = "ses";

/// A request takes days, so a quota that is met within so many days is asked for now.
const SOON_DAYS: i64 = 14;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Recipients in 24 hours.
    Daily,
    /// Recipients a second.
    PerSecond,
}

impl Which {
    /// What it is called in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Daily => "a day",
            Self::PerSecond => "a second",
        }
    }
}

/// A request for more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Of what.
    pub quota: Which,
    /// How much was asked for.
    pub wanted: f64,
    /// What became of it, in Service Quotas' word: `CASE_OPENED`.
    pub status: String,
    /// Whether AWS has yet to decide.
    pub open: bool,
    /// The support case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The day it was made: `2026-11-24`.
    pub made: String,
}

impl Request {
    /// Whether AWS said no.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(
            self.status.as_str(),
            "DENIED" | "NOT_APPROVED" | "CASE_CLOSED" | "INVALID_REQUEST"
        )
    }
}

/// One quota: what is granted and what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Granted {
    /// What is granted; none: as many as one likes.
    pub granted: Option<f64>,
    /// What the environment needs, as its file says.
    pub wanted: Option<f64>,
}

impl Granted {
    /// Whether less is granted than is needed.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.granted.zip(self.wanted).is_some_and(|(granted, wanted)| granted < wanted)
    }
}

/// How the quotas of an account stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The environment.
    pub environment: String,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// How it stands, all in all.
    pub level: Level,
    /// Where the account stands with production access.
    pub access: Access,
    /// Recipients in 24 hours.
    pub daily: Granted,
    /// Recipients a second.
    pub per_second: Granted,
    /// Recipients of the last 24 hours.
    pub used: f64,
    /// The share of the daily quota that is used.
    pub share: Option<f64>,
    /// How many more may be sent within the 24 hours.
    pub headroom: Option<f64>,
    /// Messages by day, oldest first, today's last.
    pub sent: Daily,
    /// The day of the first of them.
    pub since: String,
    /// Where it is heading.
    pub trend: Trend,
    /// The day on which the quota would be met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hits_on: Option<String>,
    /// Requests for more, newest first.
    pub requests: Vec<Request>,
    /// What is wrong, and what to do.
    pub problems: Vec<Problem>,
    /// The quotas as Service Quotas has them, by whose codes more is asked for.
    #[serde(skip)]
    pub known: SendingQuotas,
}

/// Whom a report is about, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// What its file needs.
    pub wanted: Option<QuotaWanted>,
    /// How the program is called, for what to do.
    pub program: &'a str,
    /// The time.
    pub now: SystemTime,
}

/// Reads how the quotas stand.
pub async fn report(session: &Session, subject: &Subject<'_>) -> Result<Report, AwsError> {
    let standing = Standing::of(&*session.account().await?);
    let quotas = sending_quotas(session).await?;
    let requests = requests(session, &quotas).await?;
    let sent = daily(session, subject.now, &[Count::Sends]).await?;
    let sent = sent.into_values().next().unwrap_or_default();
    Ok(Report { known: quotas, ..judge(session, subject, &standing, requests, sent) })
}

fn judge(
    session: &Session,
    subject: &Subject<'_>,
    standing: &Standing,
    requests: Vec<Request>,
    sent: Daily,
) -> Report {
    let wanted = |of: fn(QuotaWanted) -> u32| subject.wanted.map(|it| f64::from(of(it)));
    // Today is not over, so it says nothing yet.
    let trend = trend(&sent[..sent.len().min(DAYS)], standing.daily);
    let today = day_of(subject.now);
    let hits_on = match &trend {
        Trend::Growing { hits_in_days: Some(days), .. } => Some(date(today - 1 + days)),
        _ => None,
    };
    let days_before = i64::try_from(DAYS).unwrap_or(0);
    let mut report = Report {
        environment: subject.environment.to_owned(),
        account: session.arns.account().to_string(),
        region: session.arns.region().to_string(),
        level: Level::Good,
        access: standing.access,
        daily: Granted { granted: standing.daily, wanted: wanted(|it| it.daily) },
        per_second: Granted {
            granted: Some(standing.per_second),
            wanted: wanted(|it| it.per_second),
        },
        used: standing.used,
        share: standing.share(),
        headroom: standing.daily.map(|daily| (daily - standing.used).max(0.0)),
        sent,
        since: date(today - days_before),
        trend,
        hits_on,
        requests,
        problems: Vec::new(),
        known: SendingQuotas::default(),
    };
    report.problems = problems(&report, subject, standing);
    report.level = report.problems.iter().map(|problem| problem.level).max().unwrap_or_default();
    report
}

fn problems(report: &Report, subject: &Subject<'_>, standing: &Standing) -> Vec<Problem> {
    let (program, name) = (subject.program, subject.environment);
    let warn_at = subject.wanted.map_or_else(QuotaWanted::default_warn_at, |it| it.warn_at);
    let mut problems = Vec::new();
    let ask = format!("ask for more: {program} quota {name} --request");
    if standing.access != Access::Granted && standing.access != Access::Denied {
        problems.extend(standing.problems(warn_at.fraction(), program, name));
        return problems;
    }
    if let Some(share) = report.share.filter(|share| *share >= warn_at.fraction()) {
        let what = format!("{:.0} % of the daily quota are used", share * 100.0);
        problems.push(match share >= 1.0 {
            true => Problem::bad(format!("{what}: SES refuses more"), ask.clone()),
            false => Problem::warning(what, ask.clone()),
        });
    }
    for (which, quota) in [(Which::Daily, report.daily), (Which::PerSecond, report.per_second)] {
        if !quota.is_short() {
            continue;
        }
        let amounts = quota.granted.unwrap_or_default();
        let what = format!(
            "{amounts:.0} {} are granted, and the environment needs {:.0}",
            which.words(),
            quota.wanted.unwrap_or_default()
        );
        let open = report.requests.iter().find(|request| request.quota == which && request.open);
        let remedy = match open {
            Some(open) => {
                format!("{:.0} were asked for on {}: wait for AWS's answer", open.wanted, open.made)
            }
            None => ask.clone(),
        };
        problems.push(Problem::warning(what, remedy));
    }
    if let Trend::Growing { hits_in_days: Some(days), .. } = report.trend
        && days <= SOON_DAYS
    {
        let day = report.hits_on.clone().unwrap_or_default();
        problems.push(Problem::warning(
            format!("at the present growth the daily quota is used up on {day}"),
            "write a larger `account.quota.daily`, then ask for it",
        ));
    }
    problems
}

/// All requests about sending that AWS remembers, newest first.
async fn requests(session: &Session, quotas: &SendingQuotas) -> Result<Vec<Request>, AwsError> {
    let mut found = Vec::new();
    for (which, quota) in [(Which::Daily, &quotas.daily), (Which::PerSecond, &quotas.per_second)] {
        let Some(quota) = quota else { continue };
        let call = session.quotas().list_requested_service_quota_change_history_by_quota();
        let call = call.service_code(SERVICE).quota_code(&quota.code);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            let action = "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota";
            let page = page.map_err(failed(action, &quota.code))?;
            let listed = page.requested_quotas.unwrap_or_default();
            found.extend(
                listed
                    .into_iter()
                    .map(|change| (change.created.map(|it| it.secs()), request(which, &change))),
            );
        }
    }
    found.sort_by_key(|(made, request)| (std::cmp::Reverse(*made), request.quota));
    Ok(found.into_iter().map(|(_, request)| request).collect())
}

fn request(which: Which, change: &RequestedServiceQuotaChange) -> Request {
    let status = change.status.as_ref().map_or("", RequestStatus::as_str).to_owned();
    Request {
        quota: which,
        wanted: change.desired_value.unwrap_or_default(),
        open: matches!(status.as_str(), "PENDING" | "CASE_OPENED"),
        status,
        case: change.case_id.clone().filter(|id| !id.is_empty()),
        made: change.created.map(|made| date(made.secs() / 86_400)).unwrap_or_default(),
    }
}

/// What became of asking for one quota.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Asked {
    /// It was asked for just now.
    Sent {
        /// The request.
        request: Request,
    },
    /// It is granted already.
    Granted,
    /// An earlier request is open.
    Open {
        /// The request, where it is known.
        request: Option<Request>,
    },
    /// An earlier request was refused, and asking again was not asked for.
    RefusedBefore {
        /// The request.
        request: Request,
    },
    /// Service Quotas knows no such quota here.
    Unknown,
}

/// Asks for what the environment needs of one quota, unless that is of no use. `again`: also after a refusal.
pub async fn ask(
    session: &Session,
    report: &Report,
    which: Which,
    again: bool,
) -> Result<Asked, AwsError> {
    let quota = match which {
        Which::Daily => report.daily,
        Which::PerSecond => report.per_second,
    };
    let Some(wanted) = quota.wanted.filter(|_| quota.is_short()) else { return Ok(Asked::Granted) };
    let mut earlier = report.requests.iter().filter(|request| request.quota == which);
    if let Some(open) = earlier.clone().find(|request| request.open) {
        return Ok(Asked::Open { request: Some(open.clone()) });
    }
    if let Some(last) = earlier.next().filter(|last| last.is_refused() && !again) {
        return Ok(Asked::RefusedBefore { request: last.clone() });
    }
    let known = match which {
        Which::Daily => &report.known.daily,
        Which::PerSecond => &report.known.per_second,
    };
    let Some(known) = known else { return Ok(Asked::Unknown) };
    let call = session.quotas().request_service_quota_increase();
    let call = call.service_code(SERVICE).quota_code(&known.code).desired_value(wanted);
    let answer = call.send().await;
    match answer.map_err(failed("servicequotas:RequestServiceQuotaIncrease", &known.code)) {
        Ok(answer) => match answer.requested_quota {
            Some(change) => Ok(Asked::Sent { request: request(which, &change) }),
            None => Ok(Asked::Open { request: None }),
        },
        // Somebody was faster.
        Err(error) if error.is(crate::aws::Class::UnderReview) => Ok(Asked::Open { request: None }),
        Err(error) => Err(error),
    }
}
