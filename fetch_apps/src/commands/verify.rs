//! `--verify`: reads what is here again and compares every file.

use std::path::Path;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::keep::foreign_files;
use crate::manifest::{Artifact, Manifest};
use crate::receipt::Receipt;
use crate::report::Report;

/// Verifies the named artifacts, or all that are here; the number of those that failed.
pub(crate) fn run(
    manifest: &Manifest,
    named: Vec<&Artifact>,
    into: &Path,
    report: &Report,
) -> Result<usize> {
    let artifacts = match named.is_empty() {
        true => manifest
            .artifacts
            .iter()
            .filter(|artifact| into.join(&artifact.name).exists())
            .collect(),
        false => named,
    };
    if artifacts.is_empty() {
        let cause = format!(
            "nothing to verify: no artifact has been fetched into {}",
            into.display()
        );
        return Err(Error::Plain { cause });
    }
    let (mut verified, mut failed) = (Vec::new(), Vec::new());
    for artifact in artifacts {
        let name = artifact.name.as_str();
        match verify_one(manifest, artifact, &into.join(name), report) {
            Ok(()) => verified.push(name),
            Err(error) => {
                report.failure(name, &error);
                failed.push(name);
            }
        }
    }
    let failures = failed.len();
    report.tell(&Event::Verifications { verified, failed });
    Ok(failures)
}

fn verify_one(
    manifest: &Manifest,
    artifact: &Artifact,
    folder: &Path,
    report: &Report,
) -> Result<()> {
    let Some(receipt) = Receipt::read(folder)? else {
        return Err(Error::Plain {
            cause: format!("{} has not been fetched by this tool", folder.display()),
        });
    };
    if !receipt.fits(manifest, artifact) {
        return Err(Error::Plain {
            cause: "out of date: made for an older manifest; fetch it again".into(),
        });
    }
    let damage = receipt.damage(folder);
    if !damage.is_empty() {
        return Err(Error::Plain {
            cause: format!("damaged:\n    {}", damage.join("\n    ")),
        });
    }
    report.tell(&Event::Verified {
        artifact: &artifact.name,
        files: receipt.files(),
        added: foreign_files(folder)?.len(),
        source: &receipt.source,
    });
    Ok(())
}
