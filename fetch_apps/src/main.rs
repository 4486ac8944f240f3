//! `fetch-apps`: fetches and verifies what the demos and the tests run.

mod cache;
mod cli;
mod commands;
mod digest;
mod error;
mod http;
mod install;
mod manifest;
mod mirror;
mod npm;
mod receipt;
mod report;
mod source;
mod unpack;

use std::process::ExitCode;

use clap::Parser;

use crate::error::Error;

fn main() -> ExitCode {
    match commands::run(&cli::Cli::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("fetch-apps: {error}");
            ExitCode::from(if matches!(error, Error::UnknownArtifact { .. }) {
                2
            } else {
                1
            })
        }
    }
}
