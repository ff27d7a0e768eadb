//! A program run to its end: how long it took, and the most memory that it and what it started held at a time.

use std::fmt;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often the memory is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Whether it ended well.
    pub(crate) succeeded: bool,
    /// From start to end.
    pub(crate) time: Duration,
    /// The most resident memory, in MiB; none where the system does not tell.
    pub(crate) peak_mib: Option<f64>,
}

impl fmt::Display for Measured {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.succeeded { "" } else { " (FAILED)" };
        write!(to, "{:.2} s{end}", self.time.as_secs_f64())
    }
}

/// Runs it; what it says is shown only if it fails.
pub(crate) fn measured(mut command: Command) -> io::Result<Measured> {
    let said = tempfile()?;
    command.stdin(Stdio::null()).stdout(said.1.try_clone()?).stderr(said.1);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let mut peak = None;
    let status = loop {
        peak = peak.max(resident(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(EVERY);
    };
    let time = start.elapsed();
    if !status.success() {
        eprint!("{}", fs::read_to_string(&said.0)?);
    }
    fs::remove_file(said.0)?;
    #[expect(clippy::cast_precision_loss, reason = "memory is far from 2^52 KiB")]
    let peak_mib = peak.map(|kib| kib as f64 / 1024.0);
    Ok(Measured { succeeded: status.success(), time, peak_mib })
}

fn tempfile() -> io::Result<(std::path::PathBuf, fs::File)> {
    let path = std::env::temp_dir().join(format!("compare-{}.log", uuid::Uuid::new_v4()));
    Ok((path.clone(), fs::File::create(path)?))
}

/// The resident memory of a process and its descendants at the moment, in KiB, as Linux tells it.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let own: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let children = tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    Some(own + children.filter_map(|child| resident(child.parse().ok()?)).sum::<u64>())
}
