//! The local cloud: an AWS for one machine, strict enough to judge sesinfra by. It runs in the process that starts it
//! ([`Cloud`]) or as a server (`sesinfra-local serve`), and answers the real wire protocols of STS, IAM, Route 53, SNS,
//! SQS, SSM, KMS, `CloudWatch`, Service Quotas, Secrets Manager, `EventBridge`, Firehose, tagging and SES v2.
//!
//! The crates it is made of are kinder than AWS. Where sesinfra could go wrong unnoticed because of that, a layer of
//! ours refuses what AWS refuses (`strict`), asks for the permissions AWS asks for (`authorization`), and loses the
//! messages AWS loses ([`delivery`]).

mod authorization;
mod call;
pub mod clock;
mod cloud;
mod control;
pub mod credentials;
pub mod delivery;
pub mod dns;
mod exclusive;
pub mod faults;
mod front;
mod limits;
pub mod log;
pub mod options;
mod persistence;
pub mod quotas;
pub mod seeds;
mod server;
mod services;
pub mod ses;
mod strict;
pub mod tagging;
pub mod world;

pub use cloud::{Cloud, CloudError};
pub use faults::{Effect, Fault, Faults};
pub use log::{CallLog, Entry};
pub use options::{Limits, Options};
