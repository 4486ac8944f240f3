//! `quick`: what requests cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cli::Quick;
use crate::dirs::{command, printed, project, say};
use crate::revision::{self, Revision};
use crate::rows::{self, Row};
use crate::server::{HTTPD, Plan, Server};
use crate::work::{By, Case, FILE_SIZE, FILES, chosen};
use crate::{instructions, load, peers, sample, stage, system_calls};

/// A server that is to be measured, before and while it runs.
struct Station {
    by: By,
    stage: PathBuf,
    port: u16,
    server: Option<Server>,
}

impl Station {
    fn server(&self) -> Result<&Server> {
        self.server.as_ref().context("the server is stopped")
    }
}

pub(crate) fn run(options: &Quick) -> Result<()> {
    let cases = chosen(options.peers, &options.only);
    ensure!(
        !cases.is_empty(),
        "no row has such a name; the names are those of the tables"
    );
    let other = options.compare.as_deref().map(Revision::find).transpose()?;
    let stages = prepare(options, &cases, other.as_ref())?;
    let mut stations = stations(options, &cases, stages);
    let mut rows = rows_of(&cases, &stations);

    start(&mut stations, &rows)?;
    measure(options, &stations, &mut rows)?;
    count_system_calls(&stations, &mut rows)?;
    for station in &mut stations {
        station.server = None;
    }
    count_instructions(&stations, &mut rows)?;
    print(
        options,
        &mut rows,
        other.as_ref().map(|other| other.name.as_str()),
    )
}

/// Where this revision, the other and the peers are laid out.
struct Stages {
    this: PathBuf,
    other: Option<PathBuf>,
    peers: Option<PathBuf>,
}

fn prepare(options: &Quick, cases: &[&Case], other: Option<&Revision>) -> Result<Stages> {
    let this = stage::prepare("bench")?;
    add_apps(&this)?;
    if cases.iter().any(|case| case.path.starts_with("/wordpress")) {
        stage::install_wordpress(&this, options.port.first)?;
    }
    let other = other
        .map(|other| revision::prepare(other, &this))
        .transpose()?;
    let peers = options.peers.then(|| peers::prepare(&this)).transpose()?;
    Ok(Stages { this, other, peers })
}

/// The pages and programs that are here for the measurements alone, as demos more: each named bench-…
pub(crate) fn add_apps(stage: &Path) -> Result<()> {
    for entry in fs::read_dir(project("benches/apps"))? {
        let app = entry?;
        let name = format!("bench-{}", app.file_name().display());
        stage::copy(&app.path(), &stage.join("apps").join(name))?;
    }
    let native = "hello_cgi_c";
    fs::copy(
        project("build/native").join(native),
        stage.join("apps/bench-native").join(native),
    )?;
    let files = stage.join("apps/bench-files/files");
    fs::create_dir(&files)?;
    for number in 0..FILES {
        fs::write(files.join(format!("{number}.txt")), [b'x'; FILE_SIZE])?;
    }
    Ok(())
}

/// The servers in the order in which rows of the same work follow each other, each on a port of its own.
fn stations(options: &Quick, cases: &[&Case], stages: Stages) -> Vec<Station> {
    let mut planned = vec![(By::Demo, stages.this)];
    planned.extend(stages.other.map(|other| (By::Demo, other)));
    if let Some(stage) = stages.peers {
        let mut names: Vec<By> = cases
            .iter()
            .map(|case| case.by)
            .filter(|&by| by != By::Demo)
            .collect();
        names.sort();
        names.dedup();
        planned.extend(names.into_iter().map(|by| (by, stage.clone())));
    }
    (options.port.first..)
        .zip(planned)
        .map(|(port, (by, stage))| Station {
            by,
            stage,
            port,
            server: None,
        })
        .collect()
}

fn rows_of(cases: &[&'static Case], stations: &[Station]) -> Vec<Row> {
    let mut rows = Vec::new();
    for &case in cases {
        let servers = (0..stations.len()).filter(|&server| stations[server].by == case.by);
        rows.extend(servers.map(|server| Row::new(case, server)));
    }
    rows
}

/// Starts the servers, and looks at one answer of each row.
fn start(stations: &mut [Station], rows: &[Row]) -> Result<()> {
    for station in stations.iter_mut() {
        let server = match station.by {
            By::Demo => Server::start(Plan::new(&station.stage, station.port)),
            By::Peer(name) => peers::start(&station.stage, station.port, &[name]),
        };
        station.server = Some(server?);
    }
    for row in rows {
        let station = &mut stations[row.server];
        let server = station.server.as_mut().context("it was started")?;
        server.wait_for(row.case.path)?;
        load::ask(server, row.case, 1).with_context(|| server.log())?;
    }
    Ok(())
}

fn measure(options: &Quick, stations: &[Station], rows: &mut [Row]) -> Result<()> {
    let duration = Duration::from_secs_f64(options.seconds);
    for round in 1..=options.rounds {
        say(&format!("round {round} of {}", options.rounds));
        rows::in_turn(rows, round, |row| {
            let server = stations[row.server].server()?;
            let sample = sample::take(server, row.case, options.connections, duration)
                .with_context(|| format!("{} failed; {}", row.case.label(), server.log()))?;
            row.samples.push(sample);
            Ok(())
        })?;
    }
    Ok(())
}

fn count_system_calls(stations: &[Station], rows: &mut [Row]) -> Result<()> {
    say("counting system calls");
    for (number, station) in stations.iter().enumerate() {
        let server = station.server()?;
        let idle = system_calls::idle(server)?;
        for row in rows.iter_mut().filter(|row| row.server == number) {
            row.system_calls = system_calls::per_request(server, row.case, idle)
                .with_context(|| format!("{} failed; {}", row.case.label(), server.log()))?;
        }
    }
    Ok(())
}

fn count_instructions(stations: &[Station], rows: &mut [Row]) -> Result<()> {
    say("counting instructions");
    for (number, station) in stations.iter().enumerate() {
        let mut counted: Vec<&mut Row> = rows
            .iter_mut()
            .filter(|row| row.server == number && instructions::is_counted(row.case))
            .collect();
        if counted.is_empty() {
            continue;
        }
        let stage = instructions::prepare(&station.stage, "instructions")?;
        for row in &mut counted {
            row.instructions = Some(instructions::per_request(&stage, station.port, row.case)?);
        }
    }
    Ok(())
}

fn print(options: &Quick, rows: &mut [Row], other: Option<&str>) -> Result<()> {
    let cores = available_parallelism()?;
    let version = printed(&mut command(HTTPD, ["-v"]))?;
    let version = version
        .lines()
        .next()
        .unwrap_or_default()
        .replace("Server version: ", "");
    println!(
        "{cores} cores, {version}, {} connections, {} × {} s for each row, interleaved. Per request:\n",
        options.connections, options.rounds, options.seconds
    );
    println!(
        "{}",
        rows::overview(rows.iter().filter(|row| !is_other(row, other)))
    );
    if let Some(other) = other {
        println!(
            "The same of {other}:\n\n{}",
            rows::overview(rows.iter().filter(|row| row.server == OTHER))
        );
        println!(
            "This revision : {other}:\n\n{}",
            rows::comparison(rows, other)
        );
    }
    if rows.iter().any(|row| row.instructions.is_some()) {
        println!(
            "Instructions in user space:\n\n{}",
            rows::instructions(rows, other)
        );
    }
    Ok(())
}

/// The other revision's place among the servers, where there is one.
const OTHER: usize = 1;

fn is_other(row: &Row, other: Option<&str>) -> bool {
    other.is_some() && row.server == OTHER
}
