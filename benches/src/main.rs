//! `mod-wasm-bench`: the measurements of the project. Each prints Markdown tables for `docs/performance.md`.

mod cli;
mod control_group;
mod dirs;
mod http;
mod image;
mod instructions;
mod interruption;
mod load;
mod pairs;
mod peers;
mod php;
mod proc;
mod quick;
mod revision;
mod rows;
mod sample;
mod server;
mod stage;
mod start;
mod stats;
mod system_calls;
mod table;
mod targets;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    // The server's user reads what is laid out here, and only we write it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let result = match Cli::parse().command {
        Command::Quick(options) => quick::run(&options),
        Command::Start(options) => start::run(&options),
        Command::Targets(options) => targets::run(&options),
        Command::Interruption(options) => interruption::run(&options),
        Command::Php(options) => php::run(&options),
        Command::Image(options) => image::run(&options),
    };
    if let Err(error) = result {
        eprintln!("mod-wasm-bench: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
