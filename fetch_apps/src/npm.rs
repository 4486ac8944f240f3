//! The npm registry: which one is in use here, and where a package's tarball lies in it.

use reqwest::Url;

use crate::error::{Error, Result};
use crate::manifest::Tarball;
use crate::tool;

/// The registry's address: from the environment as npm itself reads it, else from an installed npm.
pub(crate) fn registry() -> Result<Url> {
    for variable in ["NPM_CONFIG_REGISTRY", "npm_config_registry"] {
        let value = std::env::var(variable).unwrap_or_default();
        if !value.trim().is_empty() {
            return parse_registry(&value).map_err(|reason| Error::NoRegistry {
                reason: format!("{variable}: {reason}"),
            });
        }
    }
    tool::ask(&["npm", "config", "get", "registry"], &[])
        .map_err(|reason| format!("NPM_CONFIG_REGISTRY is not set, and {reason}"))
        .and_then(|value| parse_registry(&value))
        .map_err(|reason| Error::NoRegistry { reason })
}

fn parse_registry(value: &str) -> Result<Url, String> {
    let value = value.trim();
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url),
        _ => Err(format!("'{value}' is not the address of a registry")),
    }
}

/// Where a registry keeps the tarball of a package's version.
pub(crate) fn tarball_url(registry: &Url, tarball: &Tarball) -> Url {
    let package = &tarball.package;
    let base = package.rsplit('/').next().unwrap_or(package);
    let mut url = registry.clone();
    url.set_path(&format!(
        "{}/{package}/-/{base}-{}.tgz",
        registry.path().trim_end_matches('/'),
        tarball.version
    ));
    url
}

/// `name` or `@scope/name`, in the characters that npm allows.
pub(crate) fn is_package_name(package: &str) -> bool {
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
pub(crate) fn is_version(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit())
        && version
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;

    fn url(registry: &str, package: &str) -> String {
        let sha256 = Sha256::of_reader(std::io::empty()).unwrap();
        let tarball = Tarball {
            package: package.into(),
            version: "1.2.3".into(),
            sha256,
            size: None,
        };
        tarball_url(&parse_registry(registry).unwrap(), &tarball).to_string()
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
    fn what_is_no_registry_is_refused() {
        for value in ["undefined", "", "file:///tmp", "registry.example"] {
            assert!(parse_registry(value).is_err(), "{value}");
        }
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
