//! `--list`: what there is, and what is here already.

use std::path::Path;

use crate::event::{Event, Listed, ListedState};
use crate::install::{State, state};
use crate::manifest::{Artifact, Manifest, describe};
use crate::report::Report;

/// Lists the named artifacts, or all.
pub(crate) fn run(manifest: &Manifest, named: Vec<&Artifact>, into: &Path, report: &Report) {
    let artifacts = match named.is_empty() {
        true => manifest.artifacts.iter().collect(),
        false => named,
    };
    for artifact in artifacts {
        report.answer(&Event::Listed(listed(manifest, artifact, into)));
    }
}

fn listed<'a>(manifest: &Manifest, artifact: &'a Artifact, into: &Path) -> Listed<'a> {
    let (state, reason) = match state(manifest, artifact, &into.join(&artifact.name)) {
        Ok(State::Current) => (ListedState::Here, None),
        Ok(State::Missing) => (ListedState::NotFetched, None),
        Ok(State::Stale(reason)) => (ListedState::OutOfDate, Some(reason)),
        Err(error) => (ListedState::Damaged, Some(error.to_string())),
    };
    Listed {
        artifact: &artifact.name,
        about: &artifact.about,
        version: &artifact.version,
        license: &artifact.license,
        default: artifact.default,
        state,
        reason,
        sha256: artifact.sha256,
        size: artifact.size,
        sources: artifact
            .sources
            .iter()
            .map(|source| describe(manifest, source))
            .collect(),
    }
}
