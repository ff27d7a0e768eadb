//! What is in the way of a create: one of the same name, made since the plan.
//!
//! Invariant: what is ours is never in the way; an earlier run made it and was cut off.

use crate::engine::Ownership;

/// A create found somebody else's.
#[derive(Debug, thiserror::Error)]
pub enum Taken {
    /// Another environment's.
    #[error(
        "{what} of this name belongs to {owner}: two environments cannot own one, so take it out of one of the two files"
    )]
    Foreign {
        /// What it is, with its article: `a topic`.
        what: &'static str,
        /// Whose it is.
        owner: String,
    },
    /// Nobody's that is known.
    #[error(
        "somebody else made {what} of this name since the plan: plan again, and adopt it (--adopt) if it is meant to be this one"
    )]
    Unowned {
        /// What it is, with its article: `a topic`.
        what: &'static str,
    },
}

impl Taken {
    /// The error for `what` (`a topic`) that is of this ownership.
    #[must_use]
    pub fn by(ownership: &Ownership, what: &'static str) -> Self {
        match ownership {
            Ownership::Foreign(owner) => Self::Foreign { what, owner: owner.clone() },
            Ownership::Ours
            | Ownership::Contested(_)
            | Ownership::Unowned
            | Ownership::Blocked(_) => Self::Unowned { what },
        }
    }
}
