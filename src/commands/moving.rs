//! What an environment takes along when it gets another name, and how.
//!
//! Invariant: at every moment each resource is the environment's, under the old name or the new one, and everybody who
//! may send still may. Each step can be done twice, so a run that is cut off anywhere is gone on with by another.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Run;
use super::control::{Schedule, Stop};
use super::failure::Failure;
use crate::aws::{Owner, Session};
use crate::engine::{
    Address, Change, DynKind, Graph, Life, LiveValue, Marks, Put, Registry, World, references,
};
use crate::kinds::dns;

/// How long IAM may take to show what was just written.
const WAITING_MAX: std::time::Duration = std::time::Duration::from_mins(10);

/// One environment under both of its names.
pub(super) struct Ways {
    /// The kinds as the environment was called.
    pub(super) former_registry: Registry,
    /// The access as the environment was called.
    pub(super) former_session: Arc<Session>,
    /// What the file implies under that name.
    pub(super) former_graph: Graph,
    /// The kinds as it is called now.
    pub(super) registry: Registry,
    /// The access as it is called now.
    pub(super) session: Arc<Session>,
    /// What the file implies now.
    pub(super) graph: Graph,
}

impl Ways {
    /// Everything read so far is forgotten.
    pub(super) fn forget_reads(&self) {
        self.former_session.forget_reads();
        self.session.forget_reads();
    }
}

/// A send policy that is made anew under its new name.
struct Policy {
    live: LiveValue,
    name: String,
    spec: Value,
    attachments: Vec<LiveValue>,
    /// Whom somebody else attached the old one to.
    others: Vec<String>,
}

/// All that is moved.
pub(super) struct Moving {
    /// Roots that keep their names.
    roots: Vec<LiveValue>,
    /// Domains with records, and the zones they are in.
    records: Vec<(String, BTreeSet<String>)>,
    policies: Vec<Policy>,
}

impl Moving {
    /// What the environment owns under its former name.
    pub(super) async fn find(ways: &Ways) -> Result<Self, Failure> {
        let world = World::read(&ways.former_graph, &ways.former_registry).await;
        let world = world.map_err(Failure::aws)?;
        let mut moving = Self { roots: Vec::new(), records: Vec::new(), policies: Vec::new() };
        for live in world.ours() {
            let kind = ways.former_registry.get(live.address.kind());
            match kind.map(|kind| kind.life()) {
                Some(Life::Root) if live.address.kind() == "send_policy" => {
                    moving.policies.push(Policy::of(ways, &world, live));
                }
                Some(Life::Root) => moving.roots.push(live.clone()),
                _ if live.address.kind() == "dns" => {
                    let zones = live.tokens.iter().filter_map(|token| dns::zone_of(token));
                    let zones = zones.map(ToOwned::to_owned).collect();
                    moving.records.push((live.address.name().to_owned(), zones));
                }
                _ => {}
            }
        }
        Ok(moving)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.records.is_empty() && self.policies.is_empty()
    }

    /// What is moved, one line each, and what must be known of it.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.roots.iter().map(|live| live.address.to_string()).collect();
        let records = self.records.iter();
        lines.extend(records.map(|(domain, _)| Address::new("dns", domain).to_string()));
        for policy in &self.policies {
            let now = Address::new("send_policy", &policy.name);
            lines.push(format!("{} has moved to {now}", policy.live.address));
            for attachment in &policy.attachments {
                lines.push(format!("  with {}", attachment.address));
            }
            if !policy.others.is_empty() {
                lines.push(format!(
                    "  the old one stays, as nobody's: somebody else attached it to {}",
                    policy.others.join(", ")
                ));
            }
        }
        lines
    }

    /// Moves all of it; gives how much, or nothing if it was stopped in between.
    pub(super) async fn carry_out(
        &self,
        run: &Run<'_>,
        ways: &Ways,
        stop: &Stop,
    ) -> Result<Option<usize>, Failure> {
        let said = |address: &Address| run.say(&format!("{address}: moved\n"));
        for policy in &self.policies {
            if stop.is_stopped() {
                return Ok(None);
            }
            policy.make(run, ways, stop).await?;
        }
        // Claims go before the tags of what they belong to: it is those tags that tell in which zones to look.
        for (domain, zones) in &self.records {
            if stop.is_stopped() {
                return Ok(None);
            }
            let former = &ways.former_session.owner;
            dns::hand_over(&ways.session, domain, zones, former).await.map_err(Failure::aws)?;
            said(&Address::new("dns", domain));
        }
        for live in &self.roots {
            if stop.is_stopped() {
                return Ok(None);
            }
            let kind = kind(&ways.registry, live)?;
            kind.mark(live.address.name(), &live.marks).await.map_err(Failure::aws)?;
            said(&live.address);
        }
        for policy in &self.policies {
            if stop.is_stopped() {
                return Ok(None);
            }
            policy.remove(run, ways, stop).await?;
            said(&policy.live.address);
        }
        Ok(Some(self.roots.len() + self.records.len() + self.policies.len()))
    }
}

impl Policy {
    fn of(ways: &Ways, world: &World, live: &LiveValue) -> Self {
        let prefix = |owner: &Owner| format!("{}-{}-", owner.project(), owner.environment());
        let former = prefix(&ways.former_session.owner);
        let name = live.address.name();
        let rest = name.strip_prefix(&former).unwrap_or(name);
        let name = format!("{}{rest}", prefix(&ways.session.owner));
        // What is declared may depend on the names; what is not declared any more goes on as it is until it goes.
        let declared = ways.graph.get(&Address::new("send_policy", &name));
        let declared = declared.map(|resource| resource.spec.clone());
        let spec = declared.filter(|spec| references(spec).is_empty());
        let under: Vec<&LiveValue> =
            world.iter().filter(|it| it.parent.as_ref() == Some(&live.address)).collect();
        let of = |ours: bool| {
            let chosen = move |it: &&&LiveValue| it.ownership.is_ours() == ours;
            under.iter().filter(chosen).map(|it| (*it).clone()).collect::<Vec<LiveValue>>()
        };
        let other = |it: LiveValue| match it.address.name().split_once('/') {
            Some((_, principal)) => principal.to_owned(),
            None => it.address.to_string(),
        };
        Self {
            name,
            spec: Arc::unwrap_or_clone(spec.unwrap_or_else(|| Arc::clone(&live.spec))),
            attachments: of(true),
            others: of(false).into_iter().map(other).collect(),
            live: live.clone(),
        }
    }

    /// Makes the policy under its new name, and attaches it wherever the old one is.
    async fn make(&self, run: &Run<'_>, ways: &Ways, stop: &Stop) -> Result<(), Failure> {
        let marks = Marks { children: self.live.marks.children.clone(), digest: None };
        let change = creation(&self.name, self.spec.clone(), marks);
        let policies = kind(&ways.registry, &self.live)?;
        let outputs = until_done(run, stop, || policies.put(&change)).await?;
        let arn = outputs.and_then(|outputs| outputs.get("arn").cloned());
        let arn = arn.ok_or_else(|| Failure::internal("IAM tells no ARN of the policy"))?;
        for attachment in &self.attachments {
            let (_, principal) = attachment.address.name().split_once('/').unwrap_or_default();
            let mut spec = Value::clone(&attachment.spec);
            spec["policy"] = json!(arn);
            let name = format!("{}/{principal}", self.name);
            let change = creation(&name, spec, Marks::default());
            let attachments = kind(&ways.registry, attachment)?;
            until_done(run, stop, || attachments.put(&change)).await?;
        }
        Ok(())
    }

    /// Removes the old one, as far as it is ours alone.
    async fn remove(&self, run: &Run<'_>, ways: &Ways, stop: &Stop) -> Result<(), Failure> {
        for attachment in &self.attachments {
            let kind = kind(&ways.former_registry, attachment)?;
            let name = attachment.address.name();
            until_done(run, stop, || kind.delete(name, &attachment.spec)).await?;
        }
        let (kind, name) = (kind(&ways.former_registry, &self.live)?, self.live.address.name());
        if self.others.is_empty() {
            until_done(run, stop, || kind.delete(name, &self.live.spec)).await?;
        } else {
            kind.unmark(name).await.map_err(Failure::aws)?;
        }
        Ok(())
    }
}

fn creation(name: &str, to: Value, marks: Marks) -> Change<Value> {
    Change { name: name.to_owned(), from: None, to, fields: Vec::new(), marks, adopts: false }
}

fn kind<'a>(registry: &'a Registry, live: &LiveValue) -> Result<&'a dyn DynKind, Failure> {
    let kind = registry.get(live.address.kind()).map(AsRef::as_ref);
    kind.ok_or_else(|| Failure::internal(format!("{}: there is no such kind", live.address)))
}

/// Repeats a write that waits for the outside.
async fn until_done<F>(
    run: &Run<'_>,
    stop: &Stop,
    write: impl Fn() -> F,
) -> Result<Option<Value>, Failure>
where
    F: Future<Output = Result<Put<Value>, crate::engine::BoxError>>,
{
    let pauses = Schedule::for_waiting(run.host.first_pause, WAITING_MAX);
    for attempt in 1.. {
        let reason = match write().await.map_err(Failure::aws)? {
            Put::Done(outputs) => return Ok(outputs),
            Put::Waiting(reason) => reason,
        };
        let pause = pauses.pause(attempt);
        let goes_on = match pause {
            Some(pause) => stop.sleep(pause).await,
            None => false,
        };
        if !goes_on {
            return Err(Failure::partial(reason).hinted("run the same command again to go on"));
        }
    }
    Ok(None)
}
