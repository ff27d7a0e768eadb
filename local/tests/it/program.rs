//! The command line over a cloud of this process, as a user runs it: arguments in, exit code and texts out.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sesinfra::commands::{Host, run};
use sesinfra_local::Cloud;
use sesinfra_local::dns::Dns;

use super::stage::access;

/// What a run said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    /// The answer, on standard output.
    pub(crate) output: String,
    /// Progress, findings and errors, on standard error.
    pub(crate) errors: String,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs `sesinfra ARGUMENTS` in the project at `root`, as the administrator of `account`.
pub(crate) async fn sesinfra(cloud: &Cloud, account: &str, root: &Path, arguments: &[&str]) -> Ran {
    sesinfra_on(cloud, account, root, arguments, |_| ()).await
}

/// The same on a machine that is changed before.
pub(crate) async fn sesinfra_on(
    cloud: &Cloud,
    account: &str,
    root: &Path,
    arguments: &[&str],
    change: impl FnOnce(&mut Host) + Send + 'static,
) -> Ran {
    let access = access(cloud, account, root);
    let arguments: Vec<OsString> =
        ["sesinfra"].iter().chain(arguments).map(OsString::from).collect();
    let (root, lookup) = (root.to_path_buf(), Arc::new(Dns(Arc::clone(cloud.world()))));
    // A command has a runtime of its own, which must not begin inside the test's.
    let ran = tokio::task::spawn_blocking(move || {
        let (output, errors) = (Buffer::default(), Buffer::default());
        let input = Box::new(Cursor::new(Vec::new()));
        let mut host = Host::new(root, input, Box::new(output.clone()), Box::new(errors.clone()));
        host.access = access;
        host.lookup = lookup;
        host.first_pause = Duration::from_millis(20);
        change(&mut host);
        let code = run(arguments, &host);
        Ran { code, output: output.text(), errors: errors.text() }
    });
    ran.await.unwrap()
}
