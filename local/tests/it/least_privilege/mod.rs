//! The permissions that `sesinfra permissions` prints are enough for a caller who has no others, none of them is too much,
//! and each that is missing is named. All of it on the command line, in a cloud that enforces IAM.

mod command_line;
mod each;
