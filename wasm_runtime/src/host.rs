//! What a guest may call, and what answers.

pub(crate) mod abi;
mod calls;
mod clock;
pub(crate) mod files;
pub(crate) mod linker;
mod memory;
mod poll;
mod random;
pub(crate) mod scratch;
pub(crate) mod sights;
pub(crate) mod streams;
mod strings;

pub(crate) use clock::Clock;
pub use clock::Frozen;
pub(crate) use random::Random;
pub(crate) use streams::{CONNECTION_CHECK, Client, RunIo, Waiting};
pub use streams::{Host, Stop};
pub use strings::StringList;
