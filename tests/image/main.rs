//! The container image, as its users run it: `make image-test`.

mod app;
mod docker;
mod hardening;
mod lifecycle;
mod limits;
mod start;
mod volumes;
mod wordpress;
