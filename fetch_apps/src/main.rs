//! `fetch-apps`: fetches and verifies what the demos and the tests run.

mod bump;
mod cache;
mod cli;
mod commands;
mod digest;
mod edit;
mod error;
mod event;
mod help;
mod http;
mod install;
mod keep;
#[cfg(test)]
mod man;
mod manifest;
mod mirror;
mod npm;
mod pypi;
mod receipt;
mod report;
mod source;
mod tool;
mod unpack;

use std::process::ExitCode;

use crate::error::Error;
use crate::report::Report;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    let report = Report::new(cli.quiet, cli.json);
    match commands::run(&cli, &report) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            report.end(&error);
            ExitCode::from(if matches!(error, Error::UnknownArtifact { .. }) {
                2
            } else {
                1
            })
        }
    }
}
