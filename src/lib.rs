//! Plans and applies a company's transactional e-mail on AWS.

pub mod engine;
pub mod environment;
pub mod view;
