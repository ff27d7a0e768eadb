//! The log, on standard error. Invariant: only sesinfra's own events are written, which hold names and codes; those of
//! the libraries underneath may hold whole requests, and with them secrets.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What went wrong.
    Error,
    /// And what may.
    Warn,
    /// And what is done.
    Info,
    /// And each call to AWS.
    Debug,
    /// And each decision.
    Trace,
}

/// Starts the log. A second start in one process changes nothing.
pub fn log_to_standard_error(level: Level, has_colour: bool) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("sesinfra", level);
    // By itself the library says on standard error that it cannot write to standard error, and panics.
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(has_colour).without_time();
    let lines = lines.log_internal_errors(false);
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}
