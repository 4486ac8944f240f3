//! What a guest may call, and what answers.

mod abi;
mod calls;
pub(crate) mod files;
pub(crate) mod linker;
mod memory;
mod poll;
mod streams;
mod strings;

pub(crate) use streams::{CONNECTION_CHECK, RunIo, SharedIo};
pub use streams::{Host, Stop};
pub use strings::StringList;
