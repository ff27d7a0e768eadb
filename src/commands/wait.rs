//! `--wait`: until every identity is verified, with what the DNS says of each record that a verification waits for.

use std::time::Duration;

use serde_json::Value;

use super::Run;
use super::carry_out::Interrupts;
use super::control::{Schedule, Stop};
use super::exit::Exit;
use super::failure::Failure;
use super::open::Opened;
use crate::engine::{LiveValue, Reading, Wanted};

/// The kind whose resources are verified.
const IDENTITY: &str = "identity";

impl Run<'_> {
    /// Waits until every declared identity is verified, or the time is up.
    pub(super) async fn wait_for_identities(
        &self,
        opened: &Opened,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Exit, Failure> {
        let schedule = Schedule::for_waiting(self.host.first_pause, limit);
        let mut interrupts = Interrupts::listen()?;
        let mut said = String::new();
        for attempt in 1.. {
            let pending: Vec<String> = identities(opened)
                .await?
                .iter()
                .filter(|live| live.outputs.get("verified") != Some(&Value::Bool(true)))
                .map(|live| live.address.name().to_owned())
                .collect();
            if pending.is_empty() {
                self.say("Every identity is verified.\n");
                return Ok(Exit::Done);
            }
            let waiting = format!("Waiting for the verification of {}...\n", pending.join(", "));
            if waiting != said {
                self.say(&waiting);
                said = waiting;
            }
            let Some(pause) = schedule.pause(attempt) else { break };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = interrupts.next() => stop.stop(),
            }
            if stop.is_stopped() {
                break;
            }
            opened.session.forget_reads();
        }
        Ok(Exit::Partial)
    }
}

/// The declared identities as AWS has them now.
async fn identities(opened: &Opened) -> Result<Vec<LiveValue>, Failure> {
    let Some(kind) = opened.registry.get(IDENTITY) else { return Ok(Vec::new()) };
    let declared = opened.blueprint.graph.in_order().filter(|it| it.address.kind() == IDENTITY);
    let wanted: Vec<Wanted<Value>> = declared
        .map(|it| Wanted { name: it.address.name().to_owned(), spec: Some(it.spec.clone()) })
        .collect();
    kind.read(&wanted, Reading::Named).await.map_err(Failure::aws)
}
