//! What came of a run: exit status, and a line on standard error where the program cannot say it itself.

use crate::failure::{CANNOT_RUN, OWN};
use crate::streams;
use std::path::Path;
use wasm_runtime::host::Stop;
use wasm_runtime::run::{Ending, Exceeded, Limit, Outcome};

/// As `timeout` has it.
const TIME_OVER: u8 = 124;
/// As of a process that was ended by SIGABRT, which is how a native program ends that traps.
const TRAPPED: u8 = 128 + 6;
/// As of a process that was ended by SIGPIPE.
const NO_READER: u8 = 128 + 13;

/// Tells what is to be told, and returns the exit status.
pub(crate) fn conclude(module: &Path, outcome: &Outcome) -> u8 {
    let (code, text) = describe(outcome);
    if let Some(text) = text {
        tell(module, &text);
    }
    if code != 0 {
        let is_told = |exceeded: &&Exceeded| ending_limit(&outcome.ending) != Some(exceeded.limit);
        for exceeded in outcome.exceeded.iter().filter(is_told) {
            tell(module, &refusal(exceeded));
        }
    }
    if let Ending::Trapped { backtrace, .. } = &outcome.ending {
        streams::tell(backtrace);
    }
    code
}

fn tell(module: &Path, text: &str) {
    streams::tell(&format!("wasm-run: {}: {text}\n", module.display()));
}

fn describe(outcome: &Outcome) -> (u8, Option<String>) {
    let (code, text) = match &outcome.ending {
        // The lowest 8 bits, as of any process.
        Ending::Exited(code) => return (*code as u8, None),
        Ending::Stopped { stop, doing } => return stopped(outcome, *stop, doing),
        Ending::Trapped { message, .. } => (TRAPPED, format!("the program trapped: {message}")),
        Ending::MemoryLimit(message) => {
            let text = "the program needs more to start than";
            (CANNOT_RUN, met(outcome, Limit::Memory, text, message))
        }
        Ending::MountFailed(message) => (OWN, format!("a directory cannot be mounted: {message}")),
        Ending::NoEntryPoint(message) => {
            let text = format!("the module has no such entry point: {message}");
            (CANNOT_RUN, text)
        }
        Ending::StartFailed(message) => {
            let text = format!("the program could not be started: {message}");
            (CANNOT_RUN, text)
        }
        Ending::QueueTimeout => (OWN, "no instance became free".to_owned()),
    };
    (code, Some(text))
}

fn stopped(outcome: &Outcome, stop: Stop, doing: &str) -> (u8, Option<String>) {
    match stop {
        Stop::Limit(Limit::Cpu) => {
            let text = "the run used more processor time than";
            (TIME_OVER, Some(met(outcome, Limit::Cpu, text, doing)))
        }
        Stop::Limit(limit) => {
            let text = "the run took longer than";
            (TIME_OVER, Some(met(outcome, limit, text, doing)))
        }
        Stop::ClientGone => (NO_READER, None),
        // The stream has told about itself.
        Stop::IoFailed => (OWN, None),
        Stop::ServerStopping | Stop::BodyTooLarge => (OWN, Some(format!("{stop:?}"))),
    }
}

/// The limit that ended a run.
fn ending_limit(ending: &Ending) -> Option<Limit> {
    match ending {
        Ending::Stopped {
            stop: Stop::Limit(limit),
            ..
        } => Some(*limit),
        Ending::MemoryLimit(_) => Some(Limit::Memory),
        _ => None,
    }
}

fn met(outcome: &Outcome, limit: Limit, text: &str, doing: &str) -> String {
    let exceeded = outcome.exceeded.iter().find(|known| known.limit == limit);
    let text = exceeded.map_or(text.to_owned(), |known| measured(text, known));
    format!("{text}; {doing}")
}

fn refusal(exceeded: &Exceeded) -> String {
    let text = match exceeded.limit {
        Limit::Memory => "the program asked for more memory than",
        Limit::Written => "the program was kept from writing more into its directories than",
        Limit::Scratch => {
            "the program was kept from writing more into its directory for temporary files than"
        }
        Limit::Descriptors => "the program was kept from opening more files than",
        _ => "the program used more than",
    };
    measured(text, exceeded)
}

/// `the run took longer than --timeout (1.000 s): 1.004 s`
fn measured(text: &str, exceeded: &Exceeded) -> String {
    let (option, amount): (_, fn(u64) -> String) = match exceeded.limit {
        Limit::Time => ("--timeout", seconds),
        Limit::Cpu => ("--cpu-limit", seconds),
        Limit::Memory => ("--memory", bytes),
        Limit::Written => ("--write-limit", bytes),
        Limit::Descriptors => ("--file-limit", pieces),
        Limit::Scratch => ("--tmp-dir", bytes),
        Limit::Output | Limit::ErrorOutput | Limit::ScratchDirectories => ("it may", bytes),
    };
    let [allowed, used] = [exceeded.allowed, exceeded.measured].map(amount);
    format!("{text} {option} ({allowed}): {used}")
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

fn bytes(count: u64) -> String {
    format!("{count} bytes")
}

fn pieces(count: u64) -> String {
    count.to_string()
}
