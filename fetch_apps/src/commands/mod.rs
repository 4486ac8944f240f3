//! What the tool does: one file for each thing.

mod fetch;
mod list;
mod pin;
mod verify;

use crate::cli::{Cli, Command};
use crate::error::Result;
use crate::manifest::{Artifact, Manifest};
use crate::report::Report;

/// Runs the command; the number of artifacts that failed, each of which has been reported.
pub(crate) fn run(cli: &Cli, report: &Report) -> Result<usize> {
    if let Some(Command::Pin(pin)) = &cli.command {
        return pin::run(cli, pin, report).map(|()| 0);
    }
    let manifest = Manifest::read(&cli.manifest)?;
    let named = named(&manifest, &cli.names)?;
    let into = cli.target_folder();
    if cli.list {
        list::run(&manifest, named, &into, report);
        return Ok(0);
    }
    if cli.verify {
        return verify::run(&manifest, named, &into, report);
    }
    fetch::run(&manifest, named, cli, &into, report)
}

/// The artifacts of these names, each once.
fn named<'a>(manifest: &'a Manifest, names: &[String]) -> Result<Vec<&'a Artifact>> {
    let mut artifacts: Vec<&Artifact> = Vec::new();
    for name in names {
        let artifact = manifest.artifact(name)?;
        if !artifacts.iter().any(|known| known.name == artifact.name) {
            artifacts.push(artifact);
        }
    }
    Ok(artifacts)
}
