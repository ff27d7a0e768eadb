//! What the operator asked for beside the environment itself.

use std::collections::BTreeSet;

use super::{Address, Aim, Refresh};

/// What the operator asked for beside the environment itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these, what they depend on, and what must follow them: what goes with them, lets go of them, or shows what
    /// they make anew. Empty: everything.
    pub targets: BTreeSet<Address>,
    /// These are deleted and made anew.
    pub replace: BTreeSet<Address>,
    /// These may be taken over if they exist and are nobody's.
    pub adopt: BTreeSet<Address>,
    /// All that is declared, exists and is nobody's may be taken over.
    pub adopt_all: bool,
    /// Nothing is wanted any more: all that is ours goes. What was wanted is still looked for by its name, since what
    /// was made a moment ago may not be found in any other way.
    pub destroy: bool,
    /// How much of what is live is looked at. What is to be destroyed is always read in full.
    pub refresh: Refresh,
}

impl Options {
    /// Whether somebody asked for `address` to be taken over, should that be needed.
    pub(super) fn adopts(&self, address: &Address) -> bool {
        self.adopt_all || self.adopt.contains(address)
    }

    pub(super) fn aim(&self, address: &Address) -> Aim {
        if self.destroy {
            Aim::Delete
        } else if self.replace.contains(address) {
            Aim::Replace
        } else if self.adopts(address) {
            Aim::Adopt
        } else {
            Aim::Keep
        }
    }
}
