//! `--wait`: until every identity is verified, with what the DNS says of each record that a verification waits for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Run;
use super::control::{Schedule, Stop};
use super::exit::Exit;
use super::failure::Failure;
use super::open::Opened;
use super::records::all_records;
use crate::engine::{LiveValue, Reading, Wanted};
use crate::lookup::judge;
use crate::view::{Document, pending_text};

/// The kinds that have notes until SES has verified them.
const VERIFIED: [&str; 2] = ["identity", "mail_from"];

impl Run<'_> {
    /// Waits until every planned identity is verified, or the time is up.
    pub(super) async fn wait_for_identities(
        &self,
        opened: &Opened,
        document: &Document,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Exit, Failure> {
        let schedule = Schedule::for_waiting(self.host.first_pause, limit);
        let mut said = String::new();
        for attempt in 1.. {
            opened.session.forget_reads();
            let Ok(waiting) = stop.unless(self.waiting(opened, document)).await else { break };
            let Some(text) = waiting? else {
                self.say("\nEvery identity is verified.\n");
                return Ok(Exit::Done);
            };
            if text != said {
                self.say(&text);
                said = text;
            }
            let Some(pause) = schedule.pause(attempt) else { break };
            if !stop.sleep(pause).await {
                break;
            }
        }
        self.say(
            "\nThat is not all verified yet; SES goes on looking by itself for up to 72 hours.\n",
        );
        Ok(Exit::Partial)
    }

    /// What is not verified yet, and what the DNS says of its records; `None` when all is.
    async fn waiting(
        &self,
        opened: &Opened,
        document: &Document,
    ) -> Result<Option<String>, Failure> {
        let live = verified_ones(opened, document).await?;
        let notes =
            live.iter().flat_map(|one| one.notes.iter().map(move |note| (one, note.clone())));
        let pending: Vec<(String, String)> =
            notes.map(|(one, note)| (one.address.to_string(), note)).collect();
        if pending.is_empty() {
            return Ok(None);
        }
        let mut records = all_records(opened, live.iter());
        let waiting = live.iter().filter(|one| !one.notes.is_empty());
        let waiting: BTreeSet<&str> = waiting.map(|one| one.address.name()).collect();
        records.retain(|record| waiting.contains(&*record.owner));
        judge(&mut records, self.host.lookup.as_ref()).await;
        Ok(Some(pending_text(&pending, &records, self.error_style())))
    }
}

/// Those of the plan that SES verifies, as SES has them now.
async fn verified_ones(opened: &Opened, document: &Document) -> Result<Vec<LiveValue>, Failure> {
    let mut live = Vec::new();
    for kind in VERIFIED.iter().filter_map(|name| opened.registry.get(name)) {
        let declared = opened.blueprint.graph.in_order().filter(|resource| {
            let address = &resource.address;
            address.kind() == kind.name() && document.plan.change(address).is_some()
        });
        let wanted: Vec<Wanted<Arc<Value>>> = declared
            .map(|it| Wanted::declared(it.address.name().to_owned(), Arc::clone(&it.spec)))
            .collect();
        live.extend(kind.read(&wanted, Reading::Named).await.map_err(Failure::aws)?);
    }
    Ok(live)
}
