//! `pin NAME --version V`: another version of an artifact, written into the manifest when it has been downloaded.

use std::fs;
use std::io::{BufRead, Write, stdin};
use std::path::{Path, PathBuf};

use crate::bump::{bump, is_version};
use crate::cache::Cache;
use crate::cli::{Cli, Pin};
use crate::digest::Sha256;
use crate::edit::{Pinned, rewrite};
use crate::error::{Error, IoContext, Result};
use crate::event::{Change, Event};
use crate::http::{Download, Http, shown};
use crate::manifest::{Artifact, DEFAULT_MAX_DOWNLOAD, Manifest, Source, describe};
use crate::pypi;
use crate::report::Report;

/// Pins an artifact anew, after showing what changes and asking.
pub(crate) fn run(cli: &Cli, pin: &Pin, report: &Report) -> Result<()> {
    let (manifest, text) = Manifest::read_with_text(&cli.manifest)?;
    let artifact = manifest.artifact(&pin.name)?;
    let name = artifact.name.as_str();
    if artifact.version == pin.version {
        report.tell(&Event::Pinned {
            artifact: name,
            version: &pin.version,
            changed: false,
        });
        return Ok(());
    }
    let pinned = look_up(cli, &manifest, artifact, &pin.version, report)?;
    let changed = rewrite(&text, name, &pinned)
        .and_then(|changed| Manifest::parse(&changed).map(|_| changed))
        .map_err(|problem| plain(format!("{name} cannot be pinned: {problem}")))?;
    report.answer(&Event::Pin {
        artifact: name,
        changes: changes(&manifest, artifact, &pinned),
    });
    if !pin.yes {
        ask(&cli.manifest)?;
    }
    write(&cli.manifest, &text, &changed)?;
    report.tell(&Event::Pinned {
        artifact: &pinned.name,
        version: &pinned.version,
        changed: true,
    });
    Ok(())
}

/// Downloads the version from every source that can have it; what comes is kept in the cache.
fn look_up(
    cli: &Cli,
    manifest: &Manifest,
    artifact: &Artifact,
    version: &str,
    report: &Report,
) -> Result<Pinned> {
    let problem = |problem| plain(format!("{} cannot be pinned: {problem}", artifact.name));
    if !is_version(version) {
        return Err(problem(format!("'{version}' is not a version")));
    }
    let bumped = bump(artifact, version).map_err(problem)?;
    let taken = bumped.name != artifact.name && manifest.artifact(&bumped.name).is_ok();
    if taken {
        return Err(problem(format!("there is a '{}' already", bumped.name)));
    }
    let cache = Cache::open(&cli.target_folder(), report)?;
    let http = Http::new(cli.timeout);
    let mut found: Option<(Sha256, PathBuf)> = None;
    for source in bumped.sources.iter().flatten() {
        let expected = found.as_ref().map(|(sha256, _)| *sha256);
        let path = download(&cache, &http, source, expected, report)?;
        let sha256 = Sha256::of_file(&path).doing("read", &path)?;
        found = Some((sha256, path));
    }
    let (sha256, path) = found.expect("a bumped artifact has at least one source");
    let size = fs::metadata(&path).doing("read", &path)?.len();
    Ok(Pinned {
        name: bumped.name,
        version: version.into(),
        file: bumped.file,
        sha256,
        size,
        sources: bumped.sources,
    })
}

/// Downloads all of it even where the cache has it: the point is to see what the source delivers.
fn download(
    cache: &Cache,
    http: &Http,
    source: &Source,
    expected: Option<Sha256>,
    report: &Report,
) -> Result<PathBuf> {
    let (url, promised) = match source {
        Source::Https { url } => (
            url.parse()
                .map_err(|error| plain(format!("{url}: {error}")))?,
            None,
        ),
        Source::Pypi { project, file } => {
            let found = pypi::find(http, project, file, report)?;
            (found.url, found.sha256)
        }
        Source::Npm { .. } => unreachable!("a package's version is its own"),
    };
    let partial = match expected.or(promised) {
        Some(sha256) => cache.create(sha256)?,
        None => cache.create_unknown()?,
    };
    let label = shown(&url);
    let download = Download {
        url: &url,
        label: &label,
        size: None,
        limit: DEFAULT_MAX_DOWNLOAD,
    };
    http.download(&download, partial, report)
}

fn changes(manifest: &Manifest, artifact: &Artifact, pinned: &Pinned) -> Vec<Change> {
    let mut changes = vec![
        Change::new("name", &artifact.name, &pinned.name),
        Change::new("version", &artifact.version, &pinned.version),
    ];
    if let (Some(old), Some(new)) = (&artifact.file, &pinned.file) {
        changes.push(Change::new("file", old, new));
    }
    changes.push(Change::new("sha256", artifact.sha256, pinned.sha256));
    changes.push(Change {
        field: "size",
        old: artifact.size.map(|size| size.to_string()),
        new: Some(pinned.size.to_string()),
    });
    for (old, new) in artifact.sources.iter().zip(&pinned.sources) {
        changes.push(Change {
            field: "source",
            old: Some(describe(manifest, old)),
            new: new.as_ref().map(|source| describe(manifest, source)),
        });
    }
    changes.retain(|change| change.old != change.new);
    changes
}

fn ask(manifest: &Path) -> Result<()> {
    eprint!("Write this to {}? [y/N] ", manifest.display());
    // A terminal that went away cannot answer either.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = stdin().lock().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(plain(match read {
        Ok(1..) => "nothing was changed".into(),
        _ => "nothing was changed: nobody answered; --yes writes without asking".into(),
    }))
}

/// Replaces the file as a whole, and only if it still says what the changes were made from.
fn write(manifest: &Path, before: &str, after: &str) -> Result<()> {
    // The file that a link leads to, not the link.
    let path = &fs::canonicalize(manifest).doing("find", manifest)?;
    if fs::read_to_string(path).doing("read", path)? != before {
        return Err(plain(format!(
            "{} has been changed meanwhile; nothing was written",
            path.display()
        )));
    }
    let new = &path.with_extension("toml.new");
    fs::write(new, after).doing("write", new)?;
    let permissions = fs::metadata(path).doing("read", path)?.permissions();
    fs::set_permissions(new, permissions).doing("set the mode of", new)?;
    fs::rename(new, path).doing("rename", new)
}

fn plain(cause: String) -> Error {
    Error::Plain { cause }
}
