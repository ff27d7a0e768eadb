//! Programs from `PyPI` that tests hold the product against: the `aws` command line and moto. Where one is installed it is
//! used. In CI, where nothing may be skipped, what is missing is installed beside the build; elsewhere the test is skipped
//! and says so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A program, and the package that has it.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
}

/// The AWS command line.
pub(crate) const AWS: Tool = Tool { program: "aws", package: "awscli==1.45.11" };
/// An emulator of AWS that has nothing in common with ours.
pub(crate) const MOTO: Tool = Tool { program: "moto_server", package: "moto[server]==5.2.1" };

/// One installation at a time.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Tool {
    /// Where it is; `None`, with the reason printed, if the test is to be skipped.
    pub(crate) fn find(self) -> Option<PathBuf> {
        let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        let beside = environment().join("bin").join(self.program);
        if beside.is_file() {
            return Some(beside);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = std::env::split_paths(&path).map(|folder| folder.join(self.program));
        if let Some(installed) = installed.into_iter().find(|program| program.is_file()) {
            return Some(installed);
        }
        if std::env::var("CI").as_deref() != Ok("true") {
            eprintln!(
                "skipped: `{}` is not installed (pip install '{}'); with CI=true the test installs it",
                self.program, self.package
            );
            return None;
        }
        self.install();
        Some(beside)
    }

    fn install(self) {
        let environment = environment();
        let pip = environment.join("bin/pip");
        if !pip.is_file() {
            let folder = environment.to_str().unwrap();
            run(Path::new("python3"), &["-m", "venv", folder]);
        }
        run(&pip, &["install", "--quiet", "--disable-pip-version-check", self.package]);
    }
}

/// The Python environment beside the build.
fn environment() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python-tools")
}

fn run(program: &Path, arguments: &[&str]) {
    let shown = format!("{} {}", program.display(), arguments.join(" "));
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("`{shown}` does not run: {error}"));
    assert!(
        output.status.success(),
        "`{shown}` ended with {}, and in CI no test is skipped:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
