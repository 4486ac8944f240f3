//! `--list`: what there is, and what is here already.

use std::path::Path;

use serde_json::json;

use crate::install::{State, state};
use crate::manifest::{Artifact, Manifest};
use crate::report::{Report, human};
use crate::source::Source;

pub(crate) fn run(manifest: &Manifest, artifacts: Vec<&Artifact>, into: &Path, report: &Report) {
    for artifact in artifacts {
        list(manifest, artifact, into, report);
    }
}

fn list(manifest: &Manifest, artifact: &Artifact, into: &Path, report: &Report) {
    let (state, reason) = match state(manifest, artifact, &into.join(&artifact.name)) {
        Ok(State::Current) => ("here", None),
        Ok(State::Missing) => ("not-fetched", None),
        Ok(State::Stale(reason)) => ("out-of-date", Some(reason)),
        Err(error) => ("damaged", Some(error.to_string())),
    };
    let Artifact {
        name,
        about,
        version,
        license,
        default,
        group,
        ..
    } = artifact;
    let first = artifact.fitting().next();
    let size = first.and_then(|source| source.size);
    let sources: Vec<_> = artifact
        .sources
        .iter()
        .map(|source| source.describe(manifest))
        .collect();
    let event = json!({
        "event": "listed", "artifact": name, "about": about, "version": version, "license": license,
        "default": default, "group": group, "state": state, "reason": reason,
        "sha256": first.map(|Source { sha256, .. }| sha256), "size": size, "sources": sources,
    });
    let reason = reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let default = if *default { ", default" } else { "" };
    let group = group
        .as_ref()
        .map(|group| format!(", in {group}"))
        .unwrap_or_default();
    let size = size
        .map(|size| format!(", {}", human(size)))
        .unwrap_or_default();
    let mut text = format!(
        "{name}: {}{reason}{default}{group}\n    {about} (version {version}, {license}{size})",
        state.replace('-', " ")
    );
    for source in &sources {
        text += &format!("\n    from {source}");
    }
    report.answer(&event, Some(text));
}
