//! Random settings of the account, and random alarms.

use super::Generator;
use crate::it::account::ACCOUNT;

const BOOLEANS: [&str; 2] = ["true", "false"];
const PACK: [&str; 9] = [
    "\"bounce-rate\"",
    "\"bounce-rate-warning\"",
    "\"complaint-rate\"",
    "\"complaint-rate-warning\"",
    "\"daily-quota\"",
    "\"sending-paused\"",
    "\"dead-letters\"",
    "\"rejects\"",
    "\"rendering-failures\"",
];

impl Generator {
    pub(super) fn account(&mut self) {
        if self.random.once_in(2) {
            return;
        }
        self.line("[account]");
        self.fields.push("Settings.account");
        self.maybe(2, "Account.suppress", &["[\"bounce\"]", "[\"bounce\", \"complaint\"]", "[]"]);
        self.maybe(3, "Account.sending", &BOOLEANS);
        self.maybe(3, "Account.dedicated_ip_warmup", &BOOLEANS);
        if self.random.once_in(2) {
            let mut entries = Vec::new();
            let on = self.random.once_in(2);
            self.entry(&mut entries, "AccountVdm.enabled", if on { "true" } else { "false" });
            if on {
                self.maybe_entry(&mut entries, 2, "AccountVdm.engagement", &BOOLEANS);
                self.maybe_entry(&mut entries, 2, "AccountVdm.optimized_delivery", &BOOLEANS);
            }
            self.table("Account.vdm", &entries);
        }
        if self.random.once_in(3) {
            self.production_access();
        }
        if self.random.once_in(3) {
            let mut entries = Vec::new();
            self.entry(&mut entries, "QuotaWanted.daily", "1000");
            self.entry(&mut entries, "QuotaWanted.per_second", "5");
            self.maybe_entry(&mut entries, 2, "QuotaWanted.warn_at", &["\"70%\"", "\"90%\""]);
            self.table("Account.quota", &entries);
        }
    }

    /// What AWS is asked for on request alone, so that no apply may do anything about it.
    fn production_access(&mut self) {
        let mut entries = Vec::new();
        let mail_type = self.random.one(&["\"transactional\"", "\"marketing\""]);
        self.entry(&mut entries, "ProductionAccess.mail_type", mail_type);
        self.entry(&mut entries, "ProductionAccess.website", "\"https://pivot.app/\"");
        self.entry(&mut entries, "ProductionAccess.contacts", "[\"ops@pivot.app\"]");
        let language = ["\"en\"", "\"ja\""];
        self.maybe_entry(&mut entries, 2, "ProductionAccess.language", &language);
        if self.random.once_in(2) {
            self.entry(&mut entries, "ProductionAccess.statement", "\"Mail to our users.\"");
        } else {
            self.entry(&mut entries, "ProductionAccess.statement_file", "\"statement.md\"");
        }
        let mail = ["\"sample.txt\""];
        self.maybe_entry(&mut entries, 2, "ProductionAccess.sample_mail_file", &mail);
        let leave = ["\"https://pivot.app/leave\""];
        self.maybe_entry(&mut entries, 2, "ProductionAccess.unsubscribe", &leave);
        self.table("Account.production_access", &entries);
    }

    pub(super) fn alarms(&mut self) {
        self.line("[alarms]");
        self.fields.push("Settings.alarms");
        let topic = self.random.one(&self.topics.clone());
        self.set("Alarms.topic", &format!("\"{topic}\""));
        self.maybe(3, "Alarms.bounce_rate", &["\"4%\"", "\"6%\""]);
        self.maybe(3, "Alarms.bounce_rate_warning", &["\"1%\"", "\"2%\""]);
        self.maybe(3, "Alarms.complaint_rate", &["\"0.2%\"", "\"0.3%\""]);
        self.maybe(3, "Alarms.complaint_rate_warning", &["\"0.03%\"", "\"0.07%\""]);
        self.maybe(3, "Alarms.daily_quota", &["\"60%\"", "\"90%\""]);
        self.maybe(3, "Alarms.silence", &["\"6h\"", "\"2d\""]);
        self.maybe(3, "Alarms.dead_letters", &["1", "5"]);
        self.maybe(3, "Alarms.rejects", &["1", "2"]);
        self.maybe(3, "Alarms.rendering_failures", &["1", "3"]);
        if self.random.once_in(2) {
            let without = self.random.some(&PACK).join(", ");
            self.set("Alarms.without", &format!("[{without}]"));
        }
        for name in ["slow", "share", "odd"] {
            if self.random.once_in(3) {
                self.line(&format!("[alarms.custom.{name}]"));
                self.fields.push("Alarms.custom");
                self.alarm();
            }
        }
    }

    fn alarm(&mut self) {
        self.maybe(3, "Alarm.description", &["\"Slow, and slower\"", "\"Odd\""]);
        match self.random.below(3) {
            0 => {
                let statistic = self.random.one(&["\"p99\"", "\"Average\"", "\"Sum\""]);
                let metric = self.metric("Latency", statistic);
                self.set("Alarm.metric", &metric);
                if statistic == "\"p99\"" {
                    self.maybe(2, "Alarm.low_samples", &["\"ignore\"", "\"evaluate\""]);
                }
                self.compare(&["\">=\"", "\">\"", "\"<\"", "\"<=\""], true);
            }
            1 => {
                let metrics = self.share();
                self.set("Alarm.metrics", &metrics);
                self.compare(&["\">=\"", "\">\""], true);
            }
            _ => {
                let sends = self.metric("Send", "\"Sum\"");
                self.fields.extend([
                    "Query.id",
                    "Query.metric",
                    "Query.expression",
                    "Query.result",
                ]);
                self.set("Alarm.metrics", &format!("[{{ id = \"sends\", metric = {sends}, result = true }}, {{ id = \"usual\", expression = \"ANOMALY_DETECTION_BAND(sends, 2)\" }}]"));
                self.set("Alarm.band", "\"usual\"");
                self.compare(&["\"outside-band\"", "\"above-band\"", "\"below-band\""], false);
            }
        }
        let periods = self.random.one(&["1", "3", "5"]);
        self.set("Alarm.periods", periods);
        self.maybe(3, "Alarm.datapoints", &["1", periods]);
        self.maybe(2, "Alarm.missing", &["\"breaching\"", "\"ignore\"", "\"not-breaching\""]);
        self.maybe(3, "Alarm.enabled", &BOOLEANS);
        let topic = format!("[\"{}\"]", self.random.one(&self.topics.clone()));
        let elsewhere = format!("[\"arn:aws:sns:us-east-1:{ACCOUNT}:theirs\"]");
        for field in ["Alarm.on_alarm", "Alarm.on_ok", "Alarm.on_no_data"] {
            self.maybe(3, field, &[&topic, &elsewhere, "[]"]);
        }
        self.tags("Alarm.tags");
    }

    fn compare(&mut self, with: &[&str], threshold: bool) {
        let comparison = self.random.one(with);
        self.set("Alarm.comparison", comparison);
        if threshold {
            let threshold = self.random.one(&["3", "0.125", "100"]);
            self.set("Alarm.threshold", threshold);
        }
    }

    fn metric(&mut self, name: &str, statistic: &str) -> String {
        let mut entries = Vec::new();
        self.entry(&mut entries, "Metric.namespace", "\"Pivot\"");
        self.entry(&mut entries, "Metric.name", &format!("\"{name}\""));
        self.entry(&mut entries, "Metric.statistic", statistic);
        self.maybe_entry(
            &mut entries,
            2,
            "Metric.dimensions",
            &["{ host = \"a\" }", "{ host = \"a\", zone = \"b\" }"],
        );
        self.maybe_entry(&mut entries, 2, "Metric.period", &["\"1m\"", "\"10m\""]);
        self.maybe_entry(&mut entries, 3, "Metric.unit", &["\"Seconds\"", "\"Count\""]);
        format!("{{ {} }}", entries.join(", "))
    }

    /// The share of one metric in another.
    fn share(&mut self) -> String {
        let queries: Vec<String> = ["bounces", "sends"]
            .into_iter()
            .map(|name| {
                let mut entries = Vec::new();
                self.entry(&mut entries, "Query.id", &format!("\"{name}\""));
                let metric = self.metric(name, "\"Sum\"");
                self.entry(&mut entries, "Query.metric", &metric);
                self.maybe_entry(&mut entries, 3, "Query.account", &["\"999999999999\""]);
                format!("{{ {} }}", entries.join(", "))
            })
            .collect();
        let mut entries = Vec::new();
        self.entry(&mut entries, "Query.id", "\"share\"");
        self.entry(&mut entries, "Query.expression", "\"100 * bounces / sends\"");
        self.entry(&mut entries, "Query.result", "true");
        self.maybe_entry(&mut entries, 2, "Query.label", &["\"Bounces\"", "\"Share\""]);
        self.maybe_entry(&mut entries, 2, "Query.period", &["\"5m\"", "\"10m\""]);
        format!("[{}, {{ {} }}]", queries.join(", "), entries.join(", "))
    }
}
