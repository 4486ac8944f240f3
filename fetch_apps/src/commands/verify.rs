//! `--verify`: reads what is here again and compares every file.

use std::path::Path;

use crate::error::{Error, Result};
use crate::install::foreign_files;
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
    let mut failed = 0;
    for artifact in artifacts {
        match verify_one(manifest, artifact, &into.join(&artifact.name)) {
            Ok(summary) => report.say(&format!("{}: {summary}", artifact.name)),
            Err(error) => {
                report.failure(&artifact.name, &error);
                failed += 1;
            }
        }
    }
    Ok(failed)
}

fn verify_one(manifest: &Manifest, artifact: &Artifact, folder: &Path) -> Result<String> {
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
    let added = match foreign_files(folder)?.len() {
        0 => String::new(),
        count => format!("; {count} added by others"),
    };
    Ok(format!(
        "{} files are as fetched (from {}){added}",
        receipt.files(),
        receipt.source
    ))
}
