//! Runs the real tool against a server on this machine that misbehaves on request.

mod archives;
mod download;
mod https;
mod json;
mod keep;
mod npm;
mod offline;
mod parallel;
mod pin;
mod pypi;
mod resume;
mod sandbox;
mod server;
mod slow;
mod state;
mod terminal;
mod unpack;
