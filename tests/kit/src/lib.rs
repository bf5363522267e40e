//! What the end-to-end tests and the benchmark share.
