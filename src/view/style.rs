//! Colour. Invariant: it never carries meaning; what is said with it is said without.

/// Whether to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    is_coloured: bool,
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
        Self { is_coloured: false }
    }

    /// With colour.
    #[must_use]
    pub const fn coloured() -> Self {
        Self { is_coloured: true }
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
