//! What a guest may call, and what answers.

pub(crate) mod abi;
mod calls;
pub(crate) mod files;
pub(crate) mod linker;
mod memory;
mod poll;
mod random;
pub(crate) mod scratch;
mod streams;
mod strings;

pub(crate) use random::Random;
pub use streams::{Host, Stop};
pub(crate) use streams::{RunIo, Waiting};
pub use strings::StringList;
