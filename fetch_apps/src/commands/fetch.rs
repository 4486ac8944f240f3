//! Fetching: several artifacts at a time, each one into a folder of its own.

use std::path::Path;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde_json::json;

use crate::cache::Cache;
use crate::cli::Cli;
use crate::error::{Error, IoContext, Result};
use crate::fetcher::Fetcher;
use crate::http::Http;
use crate::install::{State, install, state};
use crate::manifest::{Artifact, Manifest};
use crate::report::Report;

/// Fetches the artifacts; the number of those that failed.
pub(crate) fn run(
    manifest: &Manifest,
    artifacts: Vec<&Artifact>,
    cli: &Cli,
    into: &Path,
    report: &Report,
) -> Result<usize> {
    let root = cli.manifest.canonicalize().doing("find", &cli.manifest)?;
    let fetcher = Fetcher {
        manifest,
        // The manifest lies in a folder of the project.
        root: root.ancestors().nth(2).unwrap_or(Path::new("/")),
        cache: &Cache::open(into, report)?,
        http: &Http::new(cli.timeout),
        mirror: cli.mirror.as_deref(),
        offline: cli.offline,
        report,
    };
    // What a command makes comes last, one by one: the command may run this tool for the same folder.
    let (made, plain): (Vec<_>, Vec<_>) = artifacts
        .into_iter()
        .partition(|artifact| artifact.runs_a_command());
    let fetch = |artifact: &&Artifact| fetch_one(&fetcher, artifact, into, cli.force);
    let pool = ThreadPoolBuilder::new().num_threads(cli.jobs).build();
    let pool = pool.map_err(|error| Error::new(format!("cannot start threads: {error}")))?;
    let mut outcomes: Vec<_> = pool.install(|| plain.par_iter().map(fetch).collect());
    outcomes.extend(made.iter().map(fetch));
    let with = |wished| {
        let pairs = plain.iter().chain(&made).zip(&outcomes);
        let names = pairs.filter(|(_, outcome)| **outcome == wished);
        names
            .map(|(artifact, _)| artifact.name.as_str())
            .collect::<Vec<_>>()
    };
    let (current, failed) = (with(Outcome::Current), with(Outcome::Failed));
    report.tell(
        &json!({ "event": "summary", "fetched": with(Outcome::Fetched), "up_to_date": current, "failed": failed }),
        (!current.is_empty()).then(|| format!("up to date: {}", current.join(", "))),
    );
    Ok(failed.len())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fetched,
    Current,
    Failed,
}

/// Fetches one artifact and tells how it went.
fn fetch_one(fetcher: &Fetcher<'_>, artifact: &Artifact, into: &Path, force: bool) -> Outcome {
    let (name, version) = (artifact.name.as_str(), artifact.version.as_str());
    let folder = into.join(name);
    let (event, text, outcome) = match update(fetcher, artifact, into, force) {
        Ok(None) => {
            let event = json!({ "event": "up-to-date", "artifact": name, "version": version, "folder": folder });
            (event, None, Outcome::Current)
        }
        Ok(Some(source)) => (
            json!({ "event": "fetched", "artifact": name, "version": version, "source": source, "folder": folder }),
            Some(format!("{name}: fetched from {source}")),
            Outcome::Fetched,
        ),
        Err(error) => {
            fetcher.report.failure(name, &error);
            return Outcome::Failed;
        }
    };
    fetcher.report.tell(&event, text);
    outcome
}

/// The source that delivered; `None` when there was nothing to do.
fn update(
    fetcher: &Fetcher<'_>,
    artifact: &Artifact,
    into: &Path,
    force: bool,
) -> Result<Option<String>> {
    if !force {
        match state(fetcher.manifest, artifact, &into.join(&artifact.name))? {
            State::Current => return Ok(None),
            State::Missing => {}
            State::Stale(reason) => fetcher
                .report
                .detail(&format!("{}: {reason}", artifact.name)),
        }
    }
    install(fetcher, artifact, into, force).map(Some)
}
