//! The one integration test binary.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails"
)]

mod e2e;
mod faults;
mod hostile;
mod tidy;
mod v2;
