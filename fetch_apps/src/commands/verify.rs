//! `--verify`: reads what is here again and compares every file.

use std::path::Path;

use serde_json::json;

use crate::error::{Error, Result};
use crate::keep::foreign_files;
use crate::manifest::{Artifact, Manifest};
use crate::receipt::Receipt;
use crate::report::Report;

/// Verifies the artifacts; the number of those that failed.
pub(crate) fn run(
    manifest: &Manifest,
    artifacts: Vec<&Artifact>,
    into: &Path,
    report: &Report,
) -> Result<usize> {
    if artifacts.is_empty() {
        let folder = into.display();
        return Err(Error::new(format!(
            "nothing to verify: no artifact has been fetched into {folder}"
        )));
    }
    let (mut verified, mut failed) = (Vec::new(), Vec::new());
    for artifact in artifacts {
        let name = artifact.name.as_str();
        match verify(manifest, artifact, &into.join(name), report) {
            Ok(()) => verified.push(name),
            Err(error) => {
                report.failure(name, &error);
                failed.push(name);
            }
        }
    }
    report.tell(
        &json!({ "event": "summary", "verified": verified, "failed": failed }),
        None,
    );
    Ok(failed.len())
}

fn verify(manifest: &Manifest, artifact: &Artifact, folder: &Path, report: &Report) -> Result<()> {
    let Some(receipt) = Receipt::read(folder)? else {
        return Err(Error::new(format!(
            "{} has not been fetched by this tool",
            folder.display()
        )));
    };
    if !receipt.fits(manifest, artifact) {
        return Err(Error::new(
            "out of date: made for an older manifest; fetch it again",
        ));
    }
    let damage = receipt.damage(folder);
    if !damage.is_empty() {
        return Err(Error::new(format!(
            "damaged:\n    {}",
            damage.join("\n    ")
        )));
    }
    let (name, files, source) = (&artifact.name, receipt.files(), &receipt.source);
    let added = foreign_files(folder)?.len();
    let also = match added {
        0 => String::new(),
        count => format!("; {count} added by others"),
    };
    report.tell(
        &json!({ "event": "verified", "artifact": name, "files": files, "added": added, "source": source }),
        Some(format!("{name}: {files} files are as fetched (from {source}){also}")),
    );
    Ok(())
}
