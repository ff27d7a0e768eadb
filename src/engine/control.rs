//! What the engine is given from outside while it carries out a plan: time, a listener, and the wish to stop.

use async_trait::async_trait;

use super::{Address, Verb};

/// What happens while a plan is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Started(Address, Verb),
    /// A step is done.
    Done(Address, Verb),
    /// A step waits for something outside, for this reason.
    Waiting(Address, Verb, String),
    /// A step failed, with this message.
    Failed(Address, Verb, String),
    /// A family is read back and marked.
    Settled(Address),
}

/// Time, the listener and the wish to stop, which the engine has none of its own.
#[async_trait]
pub trait Control: Send + Sync {
    /// Hears what happens.
    fn hear(&self, event: Event);
    /// Whether no further step may start.
    fn is_stopped(&self) -> bool;
    /// Waits before the `attempt`-th repetition (from 1) of something that waits for the outside; `false` to give up.
    async fn pause(&self, attempt: u32) -> bool;
    /// Waits before the `attempt`-th repetition (from 1) of a read that does not show a write yet; `false` to give up.
    async fn pause_for_reads(&self, attempt: u32) -> bool;
    /// Reads from now on must come from the service, not from memory.
    fn forget_reads(&self);
    /// How many steps may be under way at once; at least 1.
    fn parallelism(&self) -> usize;
}
