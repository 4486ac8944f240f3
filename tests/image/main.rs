//! The container image, as its users run it: `make image-test`.

mod docker;
mod start;
