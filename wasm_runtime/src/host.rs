//! What a guest may call, and what answers.

pub(crate) mod linker;
mod poll;
mod streams;
mod strings;

pub(crate) use streams::{CONNECTION_CHECK, RunIo, SharedIo, Stderr, Stdin, Stdout};
pub use streams::{Host, Stop};
pub use strings::StringList;
