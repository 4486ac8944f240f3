//! What a guest may call, and what answers.

pub(crate) mod abi;
mod calls;
pub(crate) mod files;
pub(crate) mod linker;
mod memory;
mod poll;
pub(crate) mod scratch;
mod streams;
mod strings;

pub use streams::{Host, Stop};
pub(crate) use streams::{RunIo, Waiting};
pub use strings::StringList;
