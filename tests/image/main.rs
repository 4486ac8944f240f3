//! The container image, as its users run it: `make image-test`.

mod app;
mod commands;
mod compose;
mod demos;
mod docker;
mod extend;
mod hardening;
mod lifecycle;
mod limits;
mod manual;
mod readme;
mod start;
mod volumes;
mod wordpress;
