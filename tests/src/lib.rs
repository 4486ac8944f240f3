//! Harness of the end-to-end suite: real httpd, real sockets, real guests.
//!
//! A test makes a [`Site`] (a fresh folder), writes a few lines of configuration, starts a [`Server`] and talks to
//! it through [`Request`]. When the server is dropped it is stopped, and a line in its error log that the test did
//! not expect fails the test.

mod browser;
mod cache;
mod cgi_pair;
mod chromium;
pub mod command;
mod conf;
mod demo;
mod document;
mod errorlog;
mod exchange;
mod files_fixture;
mod files_pair;
mod httpd;
mod launch;
mod paths;
pub mod php;
pub mod phpt;
mod process;
mod reader;
mod refusal;
mod request;
mod response;
mod server;
mod site;
mod terminal;
pub mod visits;
mod walkthrough;
mod webdriver;
mod wordpress;

pub use browser::{Browser, Upload};
pub use cache::{artifacts, new_cache};
pub use cgi_pair::{CgiPair, raw_output};
pub use chromium::{Chromium, ENTER, Element, TAB};
pub use conf::{cgi_endpoint, endpoint};
pub use demo::demos;
pub use document::{Block, Document};
pub use errorlog::LogLine;
pub use exchange::Exchange;
pub use files_pair::{Answers, FilesPair, Surroundings};
pub use httpd::{Httpd, Mpm};
pub use launch::free_port;
pub use paths::{
    cache_dir, fetched, guest, module, native, own_php, php_cgi, program, project_files, python,
    root,
};
pub use process::{
    alive, children, copy_program, outside_cargo, page_faults, peak_memory_kib, printed,
    resident_memory_kib, run_within, wait_until,
};
pub use refusal::Refusal;
pub use request::Request;
pub use response::{Piece, Response};
pub use server::Server;
pub use site::Site;
pub use terminal::Terminal;
pub use walkthrough::Walkthrough;
pub use wordpress::WordPress;
