//! Plans and applies a company's transactional e-mail on AWS: each environment is one TOML file, the program reads it,
//! reads AWS, shows the difference, and makes AWS match.
//!
//! # From a file to AWS
//!
//! ```text
//! environments/prod.toml
//!    | environment::load      parse, merge, check: all findings at once, each with its place
//!    v
//! Environment  -- aws::connect: the right account? hosted zones, public keys (read-only) --> Facts
//!    | blueprint              pure: Environment x Facts -> Graph of resources. Knows e-mail, makes no call
//!    v
//! Graph
//!    | engine::plan           resolve what is known, read live (batched, paced), compare
//!    v
//! Plan  -- fingerprint -->  view: terminal, Markdown, JSON  -->  plans/prod.json
//!    | commands::gate         refusals: foreign, unowned, protected; each names its override
//!    v
//! engine::apply               each step: resolve, mark ownership, write, read back (nothing may differ), report
//!    v
//! the next plan is empty
//! ```
//!
//! # Invariants
//!
//! 1. The engine knows no cloud: no AWS, TOML, terminal, clock or file in [`engine`].
//! 2. Blueprints are pure: no `async`, no call, no file in [`blueprint`].
//! 3. A kind of resource is one file, or one folder, in [`kinds`]: spec, outputs, calls, impact, permissions, examples.
//!    Adding one is that and its line in the registry; exposing it in the file adds a field and a blueprint call.
//! 4. Only [`view`] prints; only `main` exits.
//! 5. Wanted and live share one type; a difference is computed in one function.
//! 6. A plan is complete, immutable, secret-free data; applying it makes no choices.
//! 7. Ownership is marked before a write, and every write is read back.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | environment | one file `environments/NAME.toml`: one AWS account, one Region |
//! | kind | a type of resource: `identity`, `configuration_set`, `topic`, `send_policy` |
//! | address | `kind.name`, such as `identity.pivot.app`. The name is AWS's own, so there is nothing to move or import by id |
//! | spec | the settings of one resource, as declared or as read: the same Rust type for both |
//! | outputs | what AWS computes and others need: DKIM tokens, signing zone, ARNs |
//! | facts | what is true of an account before any plan: its ARNs, hosted zones, public keys |
//! | blueprint | what an environment implies, in words of e-mail |
//! | change | one address's difference: create, update, adopt, replace, delete, or none, with its fields |
//! | impact | what a change does to mail: safe, degrades, stops mail, irreversible |
//! | step | one write of a plan, with the steps that must come first |
//! | family | a root resource with its children and settings, which its ownership marks speak for |
//! | marks | the tags that say whose a resource is, which children it may have, and as what it was last declared |
//! | settled | of a family: its marks say that all of it is as declared |
//! | plan | the ordered changes of one environment, with the fingerprint of what they were computed from |
//! | owned | carries this environment's marks; *foreign*: carries another owner's; *unowned*: carries none |
//! | finding | something wrong in an environment file, or worth knowing, with its place |
//! | refusal | why a plan may not be applied, and how that is overridden |
//! | sandbox | AWS's word: an account without production access. Our own AWS on this machine is the *local cloud* |

pub mod aws;
pub mod blueprint;
pub mod commands;
pub mod engine;
pub mod environment;
pub mod health;
pub mod kinds;
pub mod lookup;
pub mod secrets;
pub mod view;
