//! Resources in general: what is wanted, what is live, the difference, the ordered plan, and carrying it out.
//!
//! Invariant: nothing here knows a cloud, a file format, a terminal, a clock or a file. Kinds bring the verbs,
//! [`Control`] brings time and the listener, and everything between is data.

mod address;
mod apply;
mod argument;
mod control;
mod difference;
mod families;
mod glance;
mod graph;
mod kind;
mod live;
mod observe;
mod options;
mod order;
mod others;
mod plan;
mod planning;
mod pool;
mod registry;
mod release;
mod report;
mod schedule;
mod scope;
mod settle;
mod work;

pub use address::{Address, InvalidAddress};
pub use apply::apply;
pub use argument::{Arg, Output, Unresolved, references, resolve};
pub use control::{Control, Event};
pub use difference::{Field, difference, is_unknown, touches};
pub use families::{PROTECTED, digest_of_family};
pub use glance::{Glance, Refresh};
pub use graph::{Graph, GraphError, Resource};
pub use kind::{BoxError, Change, Impact, Kind, Put, Severity};
pub use live::{Aim, Life, Live, Marks, OnParentDelete, Ownership, Reading, Wanted};
pub use observe::World;
pub use options::Options;
pub use plan::{Action, Family, Plan, PlannedChange, Refusal, Rule, Step, Unmanaged, Verb};
pub use planning::{PlanError, plan};
pub use pool::Pool;
pub use registry::{DynKind, LiveValue, Registry};
pub use release::release;
pub use report::{Outcome, Report, StepReport, chain};
