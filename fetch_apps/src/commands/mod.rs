//! What the tool does: one file for each thing.

mod fetch;
mod list;
mod verify;

use crate::cli::Cli;
use crate::error::Result;
use crate::manifest::{Artifact, Manifest};
use crate::report::Report;

/// Runs the command; the number of artifacts that failed, each of which has been reported.
pub(crate) fn run(cli: &Cli, report: &Report) -> Result<usize> {
    let manifest = Manifest::read(&cli.manifest)?;
    let into = cli.target_folder();
    if cli.list {
        let artifacts = chosen(&manifest, &cli.names, |_| true)?;
        list::run(&manifest, artifacts, &into, report);
        return Ok(0);
    }
    if cli.verify {
        let artifacts = chosen(&manifest, &cli.names, |artifact| {
            into.join(&artifact.name).exists()
        })?;
        return verify::run(&manifest, artifacts, &into, report);
    }
    let artifacts = chosen(&manifest, &cli.names, |artifact| artifact.default)?;
    fetch::run(&manifest, artifacts, cli, &into, report)
}

/// The artifacts of these names, each once; without a name: those of which `by_default` is true.
fn chosen<'a>(
    manifest: &'a Manifest,
    names: &[String],
    by_default: impl Fn(&Artifact) -> bool,
) -> Result<Vec<&'a Artifact>> {
    if names.is_empty() {
        return Ok(manifest
            .artifacts
            .iter()
            .filter(|artifact| by_default(artifact))
            .collect());
    }
    let mut chosen: Vec<&Artifact> = Vec::new();
    for name in names {
        for artifact in manifest.named(name)? {
            if !chosen.iter().any(|known| known.name == artifact.name) {
                chosen.push(artifact);
            }
        }
    }
    Ok(chosen)
}
