//! The runtime as its users see it: real guests, the real helper program, C programs.

mod c_api;
mod features;
mod interruption;
mod locks;
mod runs;
mod side_by_side;
mod snapshots;
mod store;
mod support;
