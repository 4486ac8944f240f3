//! The C API. All `unsafe` of the library is here, but for the one load of compiled code in [`crate::module`].
//!
//! Its conventions stand at the top of the generated header (`cbindgen.toml`). One file for each group of C types.

// C names, as the header shows them.
#![allow(non_camel_case_types)]

pub mod artifact;
pub mod engine;
pub mod error;
mod guard;
pub mod mounts;
pub mod run;
pub mod text;
