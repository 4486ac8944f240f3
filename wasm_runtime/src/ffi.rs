//! The C API, and what no crate wraps of the system. All `unsafe` of the library is here, but for the one load of compiled code
//! in [`crate::guest`].
//!
//! Its conventions stand at the top of the generated header (`cbindgen.toml`). One file for each group of C types.

// C names, as the header shows them.
#![allow(non_camel_case_types)]

pub mod artifact;
pub mod engine;
pub mod error;
pub(crate) mod file_lock;
mod guard;
pub mod inspection;
pub mod mounts;
pub(crate) mod page_map;
pub mod preinit;
pub mod run;
pub(crate) mod stop_page;
pub mod text;
pub(crate) mod thread_clock;
