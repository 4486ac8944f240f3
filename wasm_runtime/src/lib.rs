//! The runtime of mod_wasm: WebAssembly programs, one fresh sandbox for each run.
//!
//! Two kinds of process use it. The **parent** of the web server only looks after compiled code
//! ([`artifact`]): no engine, no thread. A **serving child** makes one [`engine::ServingEngine`], loads each artifact
//! as a [`guest::LoadedModule`] and executes a [`run::Run`] for each request. The program `wasm-precompile` is the
//! only place where code is compiled ([`precompile`]). [`host`] is what a guest may call,
//! [`mounts`] which directories it may see. The C API of all this is [`ffi`].

pub mod artifact;
mod digest;
pub mod engine;
pub mod error;
pub mod ffi;
pub mod guest;
pub mod host;
pub mod mounts;
mod openat2;
pub mod precompile;
pub mod run;

/// Version of the library, of its header and of the module: the one in the workspace's `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
