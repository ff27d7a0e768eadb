//! The tests that need no cloud, in one binary: link time counts.

mod it {
    mod golden;
    mod view;
}
