//! What was sent: the last day's recipients for the quota, and the last messages for those who ask.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

const DAY: i64 = 24 * 60 * 60 * 1000;
const SECOND: i64 = 1000;

/// How many messages are kept to be looked at.
const KEPT: usize = 1000;

/// The account of sending in one Region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// When, how many recipients count against the daily quota, how many against the rate.
    sends: VecDeque<(i64, usize, usize)>,
    pub(super) messages: VecDeque<Sent>,
}

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The id that the caller got.
    pub id: String,
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// The address it is from.
    pub from: String,
    /// The identity whose settings it was sent with.
    pub identity: String,
    /// The domain of its envelope, if the identity has one of its own that works.
    pub mail_from: Option<String>,
    /// Whether it was signed.
    pub signed: bool,
    /// The set it was sent with.
    pub configuration_set: Option<String>,
    /// To, Cc and Bcc together.
    pub recipients: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// What happened, in order: an event type of the API, and the recipients it is about.
    pub events: Vec<(String, Vec<String>)>,
    /// Message tags, those that SES adds included.
    pub tags: BTreeMap<String, Vec<String>>,
}

impl Ledger {
    /// The recipients of the last 24 hours that count.
    pub(super) fn sent_in_a_day(&self, now: i64) -> usize {
        self.recent(now - DAY).map(|(_, daily, _)| daily).sum()
    }

    /// The recipients of the last second.
    pub(super) fn sent_in_a_second(&self, now: i64) -> usize {
        self.recent(now - SECOND).map(|(_, _, rated)| rated).sum()
    }

    fn recent(&self, since: i64) -> impl Iterator<Item = &(i64, usize, usize)> {
        self.sends.iter().filter(move |(at, ..)| *at > since)
    }

    /// Takes note of recipients.
    pub(super) fn note(&mut self, now: i64, daily: usize, rated: usize) {
        self.sends.retain(|(at, ..)| *at > now - DAY);
        self.sends.push_back((now, daily, rated));
    }

    /// Keeps a message to be looked at.
    pub(super) fn keep(&mut self, message: Sent) {
        self.messages.push_back(message);
        while self.messages.len() > KEPT {
            self.messages.pop_front();
        }
    }
}
