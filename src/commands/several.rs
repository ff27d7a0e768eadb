//! What commands for several environments share: which they are, and what is said of one that could not be looked at.

use super::Run;
use super::failure::Failure;
use crate::environment::names;
use crate::environment::names::FileName;

impl Run<'_> {
    /// The environments that were named, or all.
    ///
    /// # Errors
    /// All are meant, and there is none, or they cannot be listed.
    pub(super) fn chosen(&self, named: &[FileName], all: bool) -> Result<Vec<FileName>, Failure> {
        if !all {
            return Ok(named.to_vec());
        }
        let found = names(&self.root()?)
            .map_err(|error| Failure::input(format!("environments: cannot be listed: {error}")))?;
        if found.is_empty() {
            return Err(Failure::input("there is no environment file in `environments`").hinted(
                format!(
                    "write environments/staging.toml; `{} schema` helps an editor to complete it",
                    self.host.program
                ),
            ));
        }
        Ok(found)
    }

    /// Says why one of several environments could not be looked at.
    pub(super) fn tell(&self, name: &FileName, failure: &Failure) {
        self.say(&format!("{name}: "));
        let style = self.error_style();
        self.say(&crate::view::failure_text(failure.source.as_ref(), &failure.hints, style));
    }
}
