//! What the tool does: fetch, list, verify.

use std::path::Path;

use crate::cache::Cache;
use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::install::{State, foreign_files, install, state};
use crate::manifest::{Artifact, Manifest, Source};
use crate::receipt::Receipt;
use crate::report::{Report, human, print};
use crate::source::{Fetcher, package};

/// Runs the command; the number of artifacts that failed, each of which has been reported.
pub(crate) fn run(cli: &Cli) -> Result<usize> {
    let manifest = Manifest::read(&cli.manifest)?;
    let named = cli
        .names
        .iter()
        .map(|name| manifest.artifact(name))
        .collect::<Result<Vec<_>>>()?;
    let into = cli.target_folder();
    let report = Report::new(cli.quiet);
    if cli.list {
        list(&manifest, &or_all(&manifest, named), &into);
        return Ok(0);
    }
    if cli.verify {
        return verify(&manifest, named, &into, &report);
    }
    fetch(&manifest, named, cli, &into, &report)
}

fn or_all<'a>(manifest: &'a Manifest, named: Vec<&'a Artifact>) -> Vec<&'a Artifact> {
    match named.is_empty() {
        true => manifest.artifacts.iter().collect(),
        false => named,
    }
}

fn fetch(
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
    let fetcher = Fetcher {
        manifest,
        cache: &cache,
        http: &http,
        report,
    };
    let (mut current, mut failed) = (Vec::new(), 0);
    for artifact in wanted {
        match fetch_one(&fetcher, artifact, into, cli.force) {
            Ok(Some(source)) => report.say(&format!("{}: fetched from {source}", artifact.name)),
            Ok(None) => current.push(artifact.name.as_str()),
            Err(error) => {
                eprintln!("fetch-apps: {}: {error}", artifact.name);
                failed += 1;
            }
        }
    }
    if !current.is_empty() {
        report.say(&format!("up to date: {}", current.join(", ")));
    }
    Ok(failed)
}

/// The source that delivered; `None` when there was nothing to do.
fn fetch_one(
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

fn list(manifest: &Manifest, artifacts: &[&Artifact], into: &Path) {
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

fn verify(
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
                eprintln!("fetch-apps: {}: {error}", artifact.name);
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
