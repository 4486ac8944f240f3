//! Getting an artifact's bytes into the cache, from the first of its sources that delivers them.

use std::path::PathBuf;

use reqwest::Url;

use crate::cache::Cache;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::http::{Download, Http, shown};
use crate::manifest::{Artifact, DEFAULT_MAX_DOWNLOAD, Manifest, Source, Tarball};
use crate::mirror::Mirror;
use crate::npm;
use crate::pypi;
use crate::report::Report;
use crate::unpack::{Archive, copy_member};

const FROM_CACHE: &str = "the download cache";

/// What fetching needs besides the artifact.
pub(crate) struct Fetcher<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) cache: &'a Cache,
    pub(crate) http: &'a Http,
    pub(crate) mirror: Option<&'a Mirror>,
    /// Use only what is on this machine.
    pub(crate) offline: bool,
    pub(crate) report: &'a Report,
}

/// One place to get an artifact's file from.
enum Origin<'a> {
    Mirror(&'a Mirror),
    Source(&'a Source),
}

/// A verified file in the cache.
pub(crate) struct Fetched {
    pub(crate) path: PathBuf,
    /// Where it came from, as people read it.
    pub(crate) source: String,
}

impl Fetcher<'_> {
    /// The artifact's own file: from the cache, else from its sources in their order.
    pub(crate) fn artifact(&self, artifact: &Artifact) -> Result<Fetched> {
        if let Some(path) = self.cache.find(artifact.sha256)? {
            return Ok(Fetched {
                path,
                source: FROM_CACHE.into(),
            });
        }
        let origins = self.origins(artifact);
        if origins.is_empty() {
            return Err(self.offline_error(artifact));
        }
        let mut failures = Vec::new();
        for (tried, origin) in origins.iter().enumerate() {
            let error = match self.try_origin(artifact, origin) {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            // A full disk or a missing permission will not get better at the next source.
            if matches!(error, Error::Io { .. }) || origins.len() == 1 {
                return Err(error);
            }
            if tried + 1 < origins.len() {
                self.report
                    .detail(&format!("{error}; trying the next source"));
            }
            failures.push(error.to_string());
        }
        Err(Error::NoSource { failures })
    }

    /// A whole npm tarball. Several artifacts may need the same one: it is downloaded once.
    pub(crate) fn tarball(&self, tarball: &Tarball) -> Result<PathBuf> {
        let (path, _) = self
            .cache
            .obtain(tarball.sha256, || self.make_tarball(tarball))?;
        Ok(path)
    }

    fn make_tarball(&self, tarball: &Tarball) -> Result<PathBuf> {
        if let Some(mirror) = self.mirror_with(tarball.sha256) {
            match mirror.copy(tarball.sha256, self.cache.create(tarball.sha256)?) {
                Err(error) if !self.offline && !matches!(error, Error::Io { .. }) => self
                    .report
                    .detail(&format!("{error}; trying the npm registry")),
                result => return result,
            }
        }
        if self.offline {
            return Err(Error::Offline {
                missing: vec![file(&format!("npm {}", tarball.shown()), tarball.sha256)],
                places: self.places(),
            });
        }
        let url = npm::tarball_url(&npm::registry()?, tarball);
        let label = format!("{} from npm", tarball.shown());
        self.download(tarball.sha256, &url, &label, tarball.size)
    }

    /// Where the artifact's file may be had, in the order of asking. Empty only when everything would need the network
    /// and must not.
    fn origins<'s>(&'s self, artifact: &'s Artifact) -> Vec<Origin<'s>> {
        let sources = artifact.sources.iter().filter(|source| match source {
            _ if !self.offline => true,
            Source::Https { .. } | Source::Pypi { .. } => false,
            Source::Npm { tarball, .. } => self.has(self.manifest.tarball(tarball).sha256),
        });
        self.mirror_with(artifact.sha256)
            .map(Origin::Mirror)
            .into_iter()
            .chain(sources.map(Origin::Source))
            .collect()
    }

    fn mirror_with(&self, sha256: Sha256) -> Option<&Mirror> {
        self.mirror.filter(|mirror| mirror.has(sha256))
    }

    fn has(&self, sha256: Sha256) -> bool {
        self.mirror_with(sha256).is_some() || self.cache.has(sha256)
    }

    fn offline_error(&self, artifact: &Artifact) -> Error {
        let mut missing = vec![file("its file", artifact.sha256)];
        for source in &artifact.sources {
            if let Source::Npm { tarball, .. } = source {
                let tarball = self.manifest.tarball(tarball);
                missing.push(file(&format!("npm {}", tarball.shown()), tarball.sha256));
            }
        }
        Error::Offline {
            missing,
            places: self.places(),
        }
    }

    /// The folders that an offline run looks into.
    fn places(&self) -> String {
        let cache = self.cache.folder().display().to_string();
        match self.mirror {
            Some(mirror) => format!("neither {cache} nor {}", mirror.folder().display()),
            None => format!("neither {cache} nor a folder given with --mirror"),
        }
    }

    fn try_origin(&self, artifact: &Artifact, origin: &Origin<'_>) -> Result<Fetched> {
        match origin {
            Origin::Mirror(mirror) => self.out_of_mirror(artifact, mirror),
            Origin::Source(Source::Https { url }) => self.over_https(artifact, url),
            Origin::Source(Source::Npm { tarball, member }) => {
                self.out_of_npm(artifact, self.manifest.tarball(tarball), member)
            }
            Origin::Source(Source::Pypi { project, file }) => {
                self.out_of_pypi(artifact, project, file)
            }
        }
    }

    fn out_of_mirror(&self, artifact: &Artifact, mirror: &Mirror) -> Result<Fetched> {
        let source = format!("the mirror {}", mirror.folder().display());
        self.obtain(artifact, source, || {
            mirror.copy(artifact.sha256, self.cache.create(artifact.sha256)?)
        })
    }

    fn over_https(&self, artifact: &Artifact, url: &str) -> Result<Fetched> {
        let url = Url::parse(url).map_err(|error| Error::Plain {
            cause: format!("{url}: {error}"),
        })?;
        let label = format!("{} from {}", artifact.name, shown(&url));
        self.obtain(artifact, shown(&url), || {
            self.download(artifact.sha256, &url, &label, artifact.size)
        })
    }

    /// The tarball is complete before the artifact's own digest is claimed: no claim waits for another.
    fn out_of_npm(&self, artifact: &Artifact, tarball: &Tarball, member: &str) -> Result<Fetched> {
        let path = self.tarball(tarball)?;
        let name = tarball.shown();
        let source = format!("npm {name}, member {member}");
        let archive = Archive {
            path: &path,
            name: &name,
        };
        self.obtain(artifact, source.clone(), || {
            let limit = artifact.size.unwrap_or(DEFAULT_MAX_DOWNLOAD);
            let mut partial = self.cache.create(artifact.sha256)?;
            copy_member(archive, member, limit, &mut partial)?;
            partial.finish(&source)
        })
    }

    fn out_of_pypi(&self, artifact: &Artifact, project: &str, file: &str) -> Result<Fetched> {
        self.obtain(artifact, format!("pypi {project}, file {file}"), || {
            let url = pypi::locate(self.http, project, file, artifact.sha256, self.report)?;
            let label = format!("{file} from pypi");
            self.download(artifact.sha256, &url, &label, artifact.size)
        })
    }

    fn obtain(
        &self,
        artifact: &Artifact,
        source: String,
        make: impl FnOnce() -> Result<PathBuf>,
    ) -> Result<Fetched> {
        let (path, made) = self.cache.obtain(artifact.sha256, make)?;
        let source = if made { source } else { FROM_CACHE.into() };
        Ok(Fetched { path, source })
    }

    fn download(
        &self,
        sha256: Sha256,
        url: &Url,
        label: &str,
        size: Option<u64>,
    ) -> Result<PathBuf> {
        let download = Download {
            url,
            label,
            size,
            limit: DEFAULT_MAX_DOWNLOAD,
        };
        let partial = self.cache.resume(sha256)?;
        self.http.download(&download, partial, self.report)
    }
}

/// How a missing file is named: whoever fills a mirror needs its digest.
fn file(what: &str, sha256: Sha256) -> String {
    format!("{what} (sha256 {sha256})")
}
