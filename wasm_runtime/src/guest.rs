//! The kinds of guests: today WASI commands.

pub(crate) mod backtrace;
pub(crate) mod command;
mod module;

pub use module::LoadedModule;
