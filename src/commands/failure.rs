//! A run that cannot go on: whose fault it is, what went wrong, and what to do about it.

use super::exit::Exit;
use crate::engine::BoxError;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// What was typed, or what a file says.
    Input,
    /// A rule that protects something.
    Refused,
    /// AWS, or the way to it.
    Aws,
    /// Something was done, and not all.
    Partial,
    /// The program itself.
    Internal,
}

/// A run that cannot go on.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whose fault it is.
    pub(crate) kind: FailureKind,
    /// What went wrong.
    pub(crate) source: BoxError,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    fn new(kind: FailureKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: source.into(), hints: Vec::new() }
    }

    /// Something typed, or said by a file, is wrong.
    pub(crate) fn input(source: impl Into<BoxError>) -> Self {
        Self::new(FailureKind::Input, source)
    }

    /// A rule forbids it.
    pub(crate) fn refused(source: impl Into<BoxError>) -> Self {
        Self::new(FailureKind::Refused, source)
    }

    /// AWS gave an error.
    pub(crate) fn aws(source: impl Into<BoxError>) -> Self {
        let source = source.into();
        let hints = super::advice::advice(&source);
        Self { kind: FailureKind::Aws, source, hints }
    }

    /// It was begun and not finished.
    pub(crate) fn partial(source: impl Into<BoxError>) -> Self {
        Self::new(FailureKind::Partial, source)
    }

    /// The program met something that should not be.
    pub(crate) fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(FailureKind::Internal, source)
    }

    /// The same, with what to do about it.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code that says it.
    pub(crate) const fn exit(&self) -> Exit {
        match self.kind {
            FailureKind::Input | FailureKind::Aws | FailureKind::Internal => Exit::Failed,
            FailureKind::Refused => Exit::Refused,
            FailureKind::Partial => Exit::Partial,
        }
    }
}
