//! Runs the real tool against a server on this machine that misbehaves on request.

mod archives;
mod build;
mod debian;
mod download;
mod https;
mod json;
mod keep;
mod npm;
mod offline;
mod parallel;
mod pypi;
mod resume;
mod sandbox;
mod server;
mod slow;
mod sources;
mod state;
mod terminal;
mod unpack;
