//! `--list`: what there is, and what is here already.

use std::path::Path;

use crate::install::{State, state};
use crate::manifest::{Artifact, Manifest, Source};
use crate::report::{human, print};
use crate::source::package;

/// Lists the named artifacts, or all.
pub(crate) fn run(manifest: &Manifest, named: Vec<&Artifact>, into: &Path) {
    let artifacts = match named.is_empty() {
        true => manifest.artifacts.iter().collect(),
        false => named,
    };
    for artifact in artifacts {
        let state = match state(manifest, artifact, &into.join(&artifact.name)) {
            Ok(State::Current) => "here".to_string(),
            Ok(State::Missing) => "not fetched".to_string(),
            Ok(State::Stale(reason)) => format!("out of date ({reason})"),
            Err(error) => format!("damaged ({error})"),
        };
        let Artifact {
            name,
            about,
            version,
            license,
            ..
        } = artifact;
        let default = if artifact.default { ", default" } else { "" };
        let size = artifact
            .size
            .map(|size| format!(", {}", human(size)))
            .unwrap_or_default();
        let mut lines =
            format!("{name}: {state}{default}\n    {about} (version {version}, {license}{size})\n");
        for source in &artifact.sources {
            lines += &format!("    from {}\n", describe(manifest, source));
        }
        print(&lines);
    }
}

fn describe(manifest: &Manifest, source: &Source) -> String {
    match source {
        Source::Https { url } => url.clone(),
        Source::Npm { tarball, member } => format!(
            "npm {}, member {member}",
            package(manifest.tarball(tarball))
        ),
    }
}
