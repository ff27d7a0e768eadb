//! The tests that need no cloud, in one binary: link time counts.

mod it {
    mod cli;
    mod golden;
    mod view;
}
