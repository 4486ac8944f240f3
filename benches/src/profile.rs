//! `profile`: where the processor time of a page goes.

mod guest;
mod samples;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cli::Profile;
use crate::dirs::{command, printed, project, say, stages};
use crate::load;
use crate::quick::add_apps;
use crate::server::{Plan, Server};
use crate::stage;
use crate::table::{Table, figure};
use crate::work::{By, Case, chosen};
use guest::Functions;
use samples::Place;

/// Two connections keep both processors busy and no run waiting.
const CONNECTIONS: u16 = 2;

pub(crate) fn run(options: &Profile) -> Result<()> {
    let case = front_page()?;
    let stage = stage::prepare("bench")?;
    add_apps(&stage)?;
    stage::install_wordpress(&stage, options.port.first)?;
    let functions = functions(&stage)?;
    let mut server = Server::start(Plan::new(&stage, options.port.first))?;
    server.wait_for(case.path)?;
    load::ask(server.address, case, 4)?;
    let recording = record(&server, case, Duration::from_secs_f64(options.seconds))?;
    print(case, &samples::read(&recording)?, &functions, options);
    Ok(())
}

fn front_page() -> Result<&'static Case> {
    let pages = chosen(false, &["WordPress front page".to_owned()]);
    let mut ours = pages.into_iter().filter(|case| case.by == By::Demo);
    ours.next().context("there is no such row")
}

/// The code of a snapshot is that of its module, and so are its places.
fn functions(stage: &Path) -> Result<Functions> {
    say("linking PHP with the names of its functions, and compiling it");
    let (named, code) = (stages().join("php-named.wasm"), stages().join("php.cwasm"));
    printed(command(project("runtimes/php/build"), ["--named"]).arg(&named))?;
    let mut compiler = command(stage.join("modules/wasm-precompile"), ["--output"]);
    printed(compiler.arg(&code).arg(stage.join("runtimes/php.wasm")))?;
    Functions::of(&fs::read(code)?, &fs::read(named)?)
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
    load::apply(server.address, case, CONNECTIONS, duration)?;
    let status = perf.wait()?;
    ensure!(status.success(), "perf failed: {status}");
    Ok(recording)
}

fn print(case: &Case, samples: &[Place], functions: &Functions, options: &Profile) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut guest: HashMap<&str, usize> = HashMap::new();
    for sample in samples {
        let place = match *sample {
            Place::Code(offset) => {
                *guest.entry(functions.name(offset)).or_default() += 1;
                "the guest's code"
            }
            Place::PageFault => "page faults",
            Place::SystemCall => "system calls",
            Place::Kernel => "the rest of the kernel",
            Place::Library => "the sandbox: host calls, starting and cleaning up",
            Place::Server => "the rest of httpd",
        };
        *places.entry(place.to_owned()).or_default() += 1;
    }
    println!("{}, {} samples:\n", case.label(), samples.len());
    println!("{}", shares("where", places, samples.len(), usize::MAX));
    let guest = guest
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count));
    println!(
        "{}",
        shares(
            "function of the guest",
            guest,
            samples.len(),
            options.functions
        )
    );
}

/// The largest first, in per cent of all samples.
fn shares(
    what: &str,
    counts: impl IntoIterator<Item = (String, usize)>,
    all: usize,
    rows: usize,
) -> Table {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let mut table = Table::new(1, &[what, "%"]);
    for (name, count) in counts.into_iter().take(rows) {
        table.row(vec![name, figure(100.0 * count as f64 / all as f64)]);
    }
    table
}
