//! Colour, and how much is said of what is alike. Invariant: colour never carries meaning; what is said with it is said
//! without.

/// How text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    is_coloured: bool,
    is_verbose: bool,
}

/// A colour, or weight, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Add,
    Change,
    Remove,
    Title,
}

impl Style {
    /// Plain text.
    #[must_use]
    pub const fn plain() -> Self {
        Self { is_coloured: false, is_verbose: false }
    }

    /// With colour.
    #[must_use]
    pub const fn coloured() -> Self {
        Self { is_coloured: true, is_verbose: false }
    }

    /// The same, with all that is alike shown in full.
    #[must_use]
    pub const fn verbose(self) -> Self {
        Self { is_verbose: true, ..self }
    }

    /// Whether all that is alike is shown in full.
    pub(super) const fn is_verbose(self) -> bool {
        self.is_verbose
    }

    /// Whether it colours.
    #[must_use]
    pub const fn is_coloured(self) -> bool {
        self.is_coloured
    }

    /// `text` in a colour, or as it is.
    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Add => "32",
            Paint::Change => "33",
            Paint::Remove => "31",
            Paint::Title => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
