//! Plans and applies a company's transactional e-mail on AWS.

pub mod aws;
pub mod blueprint;
pub mod commands;
pub mod engine;
pub mod environment;
pub mod kinds;
pub mod lookup;
pub mod view;
