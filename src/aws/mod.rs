//! What two kinds need of AWS: the clients, names, ownership tags, error classes, pacing, and what is true before any plan.
//!
//! Invariant: nothing here knows a kind. Every call of the process goes through clients made in [`connect`], so it is
//! paced and retried by one policy, and no call but `GetCallerIdentity` is made before the account is the right one.

mod arns;
mod calls;
mod connect;
mod error;
mod facts;
mod gauge;
pub mod key;
mod lock;
mod memo;
mod neighbours;
mod ownership;
mod pacing;
pub mod policies;
pub mod policy;
mod private_key;
mod propagation;
mod queues;
mod quotas;
mod roots;
pub mod ses_tags;
mod session;
mod taken;
pub mod topics;
mod way;
mod zones;

pub use arns::Arns;
pub use calls::{Listener, Note};
pub use connect::{Access, ConnectError, connect, sign_in};
pub use error::{AwsError, Class, OrAbsent, failed};
pub use facts::{Facts, MissingKey, PrivateKeys, watches_quota};
pub use gauge::Gauge;
pub use lock::{Held, Holder, Lease, Lock, LockError, Lost, Sighting};
pub use memo::{Memo, Reads};
pub use neighbours::Neighbours;
pub(crate) use ownership::hex;
pub use ownership::{Owner, TagChanges, note_of_stack, short_hash};
pub use pacing::{Rate, Rates, Slowdown};
pub use private_key::{KeyError, PrivateKey, SecretError};
pub use propagation::until_propagated;
pub use queues::QueueAttributes;
pub use quotas::{Quota, SendingQuotas, UsageMetric, sending_quotas};
pub use roots::if_allowed;
pub use session::{Session, TaggedResources};
pub use taken::Taken;
pub use zones::{HostedZone, ZoneProblem, Zones};
