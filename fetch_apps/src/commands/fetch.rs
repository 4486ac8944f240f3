//! Fetching: several artifacts at a time, each one into a folder of its own.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::cache::Cache;
use crate::cli::Cli;
use crate::error::Result;
use crate::event::Event;
use crate::http::Http;
use crate::install::{State, install, state};
use crate::manifest::{Artifact, Manifest};
use crate::mirror::Mirror;
use crate::report::Report;
use crate::source::Fetcher;

/// Fetches the named artifacts, or those that are marked as default; the number of those that failed.
pub(crate) fn run(
    manifest: &Manifest,
    named: Vec<&Artifact>,
    cli: &Cli,
    into: &Path,
    report: &Report,
) -> Result<usize> {
    let wanted: Vec<_> = match named.is_empty() {
        true => manifest
            .artifacts
            .iter()
            .filter(|artifact| artifact.default)
            .collect(),
        false => named,
    };
    let cache = Cache::open(into, report)?;
    let http = Http::new(cli.timeout);
    let mirror = cli.mirror.clone().map(Mirror::new);
    let fetcher = Fetcher {
        manifest,
        cache: &cache,
        http: &http,
        mirror: mirror.as_ref(),
        offline: cli.offline,
        report,
    };
    let outcomes = in_parallel(cli.jobs, &wanted, |artifact| {
        fetch_one(&fetcher, artifact, into, cli.force)
    });
    let with = |wished| {
        let pairs = wanted.iter().zip(&outcomes);
        pairs
            .filter(|(_, outcome)| **outcome == wished)
            .map(|(artifact, _)| artifact.name.as_str())
            .collect::<Vec<_>>()
    };
    let failed = with(Outcome::Failed);
    let failures = failed.len();
    report.tell(&Event::Fetches {
        fetched: with(Outcome::Fetched),
        up_to_date: with(Outcome::Current),
        failed,
    });
    Ok(failures)
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
    let folder = &into.join(name);
    match update(fetcher, artifact, into, force) {
        Ok(None) => {
            fetcher.report.tell(&Event::UpToDate {
                artifact: name,
                version,
                folder,
            });
            Outcome::Current
        }
        Ok(Some(source)) => {
            fetcher.report.tell(&Event::Fetched {
                artifact: name,
                version,
                source: &source,
                folder,
            });
            Outcome::Fetched
        }
        Err(error) => {
            fetcher.report.failure(name, &error);
            Outcome::Failed
        }
    }
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

/// Does the work for every item, a few at a time; the results are in the order of the items.
fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = work(item);
                    lock(&results).push((index, result));
                }
            });
        }
    });
    let mut results = std::mem::take(&mut *lock(&results));
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A worker that panics ends the run when its scope ends; until then the others may go on.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
