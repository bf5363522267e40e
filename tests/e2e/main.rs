//! The whole of confab, from outside: the real component on a real redis-server, over HTTP and over its WIT door.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod clock;
mod contract;
mod crash;
mod cursors;
mod exactly_once;
mod faulty_wire;
mod hostile;
mod live;
mod load;
mod model;
mod original_faults;
mod outage;
mod paging;
mod rpc;
mod seam;
mod storage;
mod support;
