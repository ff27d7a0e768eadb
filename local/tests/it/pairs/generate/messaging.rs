//! Random topics with their subscriptions, and random queues.

use super::Generator;

impl Generator {
    pub(super) fn topic(&mut self, name: &str) {
        self.line(&format!("[topics.{name}]"));
        self.fields.push("Settings.topics");
        self.maybe(2, "Topic.display_name", &["\"Pivot\"", "\"Pivot mail\""]);
        self.maybe(4, "Topic.encryption_key", &["\"alias/mail\"", "\"alias/post\""]);
        self.tags("Topic.tags");
        let mut subscriptions = Vec::new();
        for kind in 0..5 {
            if self.random.once_in(3) {
                subscriptions.push(self.subscription(kind));
            }
        }
        if !subscriptions.is_empty() {
            self.set("Topic.subscriptions", &format!("[{}]", subscriptions.join(", ")));
        }
    }

    fn subscription(&mut self, kind: usize) -> String {
        let mut entries = Vec::new();
        match kind {
            0 => {
                let queue = self.random.one(&self.queues.clone());
                self.entry(&mut entries, "Subscription.queue", &format!("\"{queue}\""));
            }
            1 => self.entry(
                &mut entries,
                "Subscription.https",
                "\"https://api.pivot.app/hooks/ses\"",
            ),
            2 => self.entry(&mut entries, "Subscription.email", "\"oncall@pivot.app\""),
            3 => self.entry(&mut entries, "Subscription.email_json", "\"robot@pivot.app\""),
            _ => self.entry(&mut entries, "Subscription.lambda", "\"on-mail\""),
        }
        if kind < 2 {
            self.maybe_entry(&mut entries, 3, "Subscription.raw", &["true", "false"]);
        }
        if self.random.once_in(3) {
            self.maybe_entry(
                &mut entries,
                1,
                "Subscription.filter",
                &["{ eventType = [\"Bounce\"] }", "{ eventType = [\"Complaint\", \"Bounce\"] }"],
            );
            self.maybe_entry(
                &mut entries,
                2,
                "Subscription.filter_scope",
                &["\"body\"", "\"attributes\""],
            );
        }
        if self.random.once_in(4) {
            let queue = self.random.one(&self.queues.clone());
            self.entry(&mut entries, "Subscription.dead_letter", &format!("\"{queue}\""));
        }
        format!("{{ {} }}", entries.join(", "))
    }

    pub(super) fn queue(&mut self, name: &str) {
        self.line(&format!("[queues.{name}]"));
        self.fields.push("Settings.queues");
        self.maybe(3, "Queue.retention", &["\"1h\"", "\"7d\"", "\"14d\""]);
        self.maybe(3, "Queue.visibility_timeout", &["\"0s\"", "\"2m\"", "\"12h\""]);
        self.maybe(3, "Queue.delay", &["\"0s\"", "\"9s\"", "\"15m\""]);
        self.maybe(3, "Queue.receive_wait", &["\"0s\"", "\"20s\""]);
        self.maybe(3, "Queue.max_message_bytes", &["1024", "262144", "1048576"]);
        self.maybe(3, "Queue.encryption", &["\"sqs\"", "\"off\"", "\"alias/mail\""]);
        self.tags("Queue.tags");
        // Dead letters go from earlier names to later ones, so that no queue is its own.
        let later: Vec<&str> = self.queues.iter().filter(|other| **other > name).copied().collect();
        if self.random.once_in(3) {
            let mut entries = Vec::new();
            if let Some(queue) = later.first().copied().filter(|_| self.random.once_in(2)) {
                self.entry(&mut entries, "DeadLetter.queue", &format!("\"{queue}\""));
            }
            self.maybe_entry(&mut entries, 2, "DeadLetter.max_receives", &["1", "9", "1000"]);
            self.table("Queue.dead_letter", &entries);
        }
    }
}
