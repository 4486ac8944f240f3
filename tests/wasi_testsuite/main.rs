//! The programs of wasi-testsuite, built for WASI preview 1, each behind a real httpd: `make wasi-testsuite`. Where they
//! must fail stands in `exceptions.rs`.
//!
//! They are not part of this project. Without the folder that `WASI_TESTSUITE` names nothing is run, and that is said.

mod cases;
mod exceptions;

use std::path::Path;
use std::process::ExitCode;

use cases::Case;
use mod_wasm_tests::{Server, Site, root};

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("WASI_TESTSUITE").filter(|folder| !folder.is_empty())
    else {
        println!("not run: wasi-testsuite (make wasi-testsuite tells what it needs)");
        return ExitCode::SUCCESS;
    };
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let faults = run(&root().join(folder), &wanted);
    if faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the cases whose names contain one of `wanted`, or all. Returns how many were not as they have to be.
fn run(folder: &Path, wanted: &[String]) -> usize {
    let mut cases = cases::read(folder);
    let total = cases.len();
    let words: Vec<_> = wanted
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    cases.retain(|case| words.is_empty() || words.iter().any(|word| case.name.contains(*word)));
    let server = serve(&cases);
    let (mut faults, mut excepted) = (0, 0);
    for case in &cases {
        let outcome = ask(&server, case);
        let exception = exceptions::reason(&case.name);
        excepted += usize::from(exception.is_some());
        let said = told(&outcome, exception);
        faults += usize::from(said.is_err());
        println!("{}: {}", case.name, said.unwrap_or_else(|fault| fault));
    }
    if cases.len() == total {
        faults += unknown_exceptions(&cases);
    }
    println!(
        "{} programs of wasi-testsuite, {excepted} of them fail as listed",
        cases.len()
    );
    let result = if faults == 0 { "ok" } else { "FAILED" };
    let passed = cases.len().saturating_sub(faults);
    println!("test result: {result}. {passed} passed; {faults} failed");
    faults
}

/// What is printed of a case; an error: it is not as it has to be.
fn told(outcome: &Result<(), String>, exception: Option<&str>) -> Result<String, String> {
    match (outcome, exception) {
        (Ok(()), None) => Ok("passed".to_owned()),
        (Err(_), Some(reason)) => Ok(format!("fails, because {reason}")),
        (Ok(()), Some(reason)) => Err(format!("PASSED, and is listed to fail because {reason}")),
        (Err(fault), None) => Err(format!("FAILED: {fault}")),
    }
}

fn unknown_exceptions(cases: &[Case]) -> usize {
    let is_known = |name: &str| cases.iter().any(|case| case.name == name);
    let unknown = exceptions::names().filter(|name| !is_known(name));
    unknown
        .inspect(|name| println!("{name}: FAILED: is listed, and there is no such program"))
        .count()
}

/// An httpd with an endpoint for each case.
fn serve(cases: &[Case]) -> Server {
    let site = Site::new();
    let conf: String = cases
        .iter()
        .filter_map(|case| case.endpoint(&site).ok())
        .collect();
    let server = site.start(conf);
    // What a program logs and how it ends is looked at case by case.
    server.allow_log("[wasm:");
    server
}

fn ask(server: &Server, case: &Case) -> Result<(), String> {
    case.configurable()?;
    let lines_before = server.log().len();
    let response = server.get(&case.location());
    let log: Vec<_> = server.log().drain(lines_before..).collect();
    let verdict = case.judge(&response, &log);
    verdict.map_err(|fault| {
        let lines = log.iter().map(|line| format!("\n    {}", line.message));
        format!("{fault}{}", lines.collect::<String>())
    })
}
