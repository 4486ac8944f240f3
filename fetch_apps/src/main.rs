//! `fetch-apps`: fetches and verifies what the demos and the tests run.

mod cache;
mod cli;
mod commands;
mod digest;
mod error;
mod fetcher;
mod http;
mod install;
mod keep;
mod manifest;
mod receipt;
mod report;
mod source;
mod unpack;

use std::process::ExitCode;

use crate::error::Kind;
use crate::report::Report;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    let report = Report::new(cli.quiet, cli.json);
    match commands::run(&cli, &report) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            report.end(&error);
            ExitCode::from(if error.kind() == Kind::Usage { 2 } else { 1 })
        }
    }
}
