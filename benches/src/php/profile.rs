//! Where the processor time of a page goes.

mod functions;
mod samples;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::dirs::{command, printed, project, say, stages};
use crate::load;
use crate::server::Server;
use crate::table::{Table, figure};
use crate::work::Case;
use functions::Functions;
use samples::Place;

/// Two connections keep both processors busy and no run waiting.
const CONNECTIONS: u16 = 2;

/// Functions of PHP that are named.
const NAMED: usize = 20;

/// PHP's functions by their places: the code of a snapshot is that of its module.
pub(super) fn functions(stage: &Path) -> Result<Functions> {
    say("linking PHP with the names of its functions, and compiling it");
    let (named, code) = (stages().join("php-named.wasm"), stages().join("php.cwasm"));
    printed(command(project("runtimes/php/build"), ["--named"]).arg(&named))?;
    let mut compiler = command(stage.join("modules/wasm-precompile"), ["--output"]);
    printed(compiler.arg(&code).arg(stage.join("runtimes/php.wasm")))?;
    Functions::of(&fs::read(code)?, &fs::read(named)?)
}

/// Samples a page, and prints the shares.
pub(super) fn print(
    server: &Server,
    case: &Case,
    functions: &Functions,
    duration: Duration,
) -> Result<()> {
    let recording = record(server, case, duration)?;
    show(case, &samples::read(&recording)?, functions);
    Ok(())
}

/// Samples the server's processes while they are asked.
fn record(server: &Server, case: &Case, duration: Duration) -> Result<PathBuf> {
    let recording = stages().join("perf.data");
    let processes: Vec<String> = server
        .group
        .processes()?
        .iter()
        .map(u32::to_string)
        .collect();
    let mut perf = command(
        "perf",
        [
            "record",
            "--quiet",
            "--freq=997",
            "--call-graph=fp",
            "--pid",
        ],
    );
    let mut perf = perf
        .arg(processes.join(","))
        .arg("--output")
        .arg(&recording)
        .args(["--", "sleep", &duration.as_secs_f64().to_string()])
        .stdin(Stdio::null())
        .spawn()
        .context("cannot run perf: benches/run needs the distribution's linux-perf")?;
    load::apply(server, case, CONNECTIONS, duration)?;
    let status = perf.wait()?;
    ensure!(status.success(), "perf failed: {status}");
    Ok(recording)
}

fn show(case: &Case, samples: &[Place], functions: &Functions) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut guest: HashMap<&str, usize> = HashMap::new();
    for sample in samples {
        let place = match *sample {
            Place::Code(offset) => {
                *guest.entry(functions.name(offset)).or_default() += 1;
                "PHP"
            }
            Place::PageFault => "page faults",
            Place::SystemCall => "system calls",
            Place::Kernel => "the rest of the kernel",
            Place::Library => "the sandbox: host calls, starting and cleaning up",
            Place::Server => "the rest of httpd",
        };
        *places.entry(place).or_default() += 1;
    }
    println!("{}, {} samples:\n", case.label(), samples.len());
    println!("{}", shares("where", places, samples.len(), usize::MAX));
    println!("{}", shares("function of PHP", guest, samples.len(), NAMED));
}

/// The largest first, in per cent of all samples.
fn shares(what: &str, counts: HashMap<&str, usize>, all: usize, rows: usize) -> Table {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let mut table = Table::new(1, &[what, "%"]);
    for (name, count) in counts.into_iter().take(rows) {
        table.row(vec![
            name.to_owned(),
            figure(100.0 * count as f64 / all as f64),
        ]);
    }
    table
}
