//! What visitors and editors do at a demo, the same at httpd itself and at a container.

pub mod demos;
pub mod editor;
pub mod wordpress;
