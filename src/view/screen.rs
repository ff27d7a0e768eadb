//! Where text goes: the answer to standard output, everything else to standard error.
//!
//! Invariant: a reader that went away (a closed pipe) stops no run and makes no noise.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A place to write to.
pub type Sink = Box<dyn Write + Send>;

/// Standard output and standard error, or what stands for them.
pub struct Screen {
    output: Mutex<Sink>,
    errors: Mutex<Sink>,
    is_closed: AtomicBool,
}

impl Screen {
    /// A screen that writes to these two.
    #[must_use]
    pub fn new(output: Sink, errors: Sink) -> Self {
        Self {
            output: Mutex::new(output),
            errors: Mutex::new(errors),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Writes the answer, or a part of it.
    ///
    /// # Errors
    /// It cannot be written, for example because the disk is full. A closed pipe is no error.
    pub fn answer(&self, text: &str) -> io::Result<()> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written,
        }
    }

    /// Whether the reader of the answer went away, as far as is known: what answers without end may end then.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Says something beside the answer. That it cannot be heard is no reason to stop.
    pub fn say(&self, text: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = errors.write_all(text.as_bytes()).and_then(|()| errors.flush());
    }
}
