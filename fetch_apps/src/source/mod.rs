//! Where an artifact's bytes can come from: one file for each kind of source.

mod build;
mod debian;
mod https;
pub(crate) mod npm;
mod pypi;
mod tool;

use std::env::consts::ARCH;
use std::fmt::Debug;
use std::path::PathBuf;

use serde::Deserialize;
use toml::{Table, Value};

use crate::digest::Sha256;
use crate::error::Result;
use crate::fetcher::{Fetcher, Wanted};
use crate::manifest::Manifest;

/// What every kind of source can do.
pub(crate) trait Kind: Debug {
    /// What is wrong with its texts.
    fn check(&self, manifest: &Manifest) -> Result<(), String>;

    /// The source as people read it.
    fn describe(&self, manifest: &Manifest) -> String;

    /// Brings the file into the cache, which has it not yet.
    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf>;

    /// The file that it is made from without a network, where there is one.
    fn made_from<'a>(&self, _manifest: &'a Manifest) -> Option<&'a npm::Tarball> {
        None
    }

    /// Whether `deliver` may fetch other artifacts by running this tool.
    fn runs_a_command(&self) -> bool {
        false
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) struct Source {
    pub(crate) sha256: Sha256,
    /// In bytes.
    pub(crate) size: Option<u64>,
    /// The only kind of machine that it is for.
    machine: Option<String>,
    kind: AnyKind,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum AnyKind {
    Https(https::Https),
    Npm(npm::Npm),
    Pypi(pypi::Pypi),
    Debian(debian::Debian),
    Build(build::Build),
}

#[derive(Deserialize)]
struct Common {
    sha256: Sha256,
    size: Option<u64>,
    machine: Option<String>,
}

impl TryFrom<Table> for Source {
    type Error = toml::de::Error;

    fn try_from(mut table: Table) -> Result<Self, Self::Error> {
        let mut common = Table::new();
        for key in ["sha256", "size", "machine"] {
            common.extend(table.remove(key).map(|value| (key.to_string(), value)));
        }
        let Common {
            sha256,
            size,
            machine,
        } = common.try_into()?;
        let kind = Value::Table(table).try_into()?;
        Ok(Self {
            sha256,
            size,
            machine,
            kind,
        })
    }
}

impl Source {
    pub(crate) fn kind(&self) -> &dyn Kind {
        match &self.kind {
            AnyKind::Https(kind) => kind,
            AnyKind::Npm(kind) => kind,
            AnyKind::Pypi(kind) => kind,
            AnyKind::Debian(kind) => kind,
            AnyKind::Build(kind) => kind,
        }
    }

    /// Whether it is for this kind of machine.
    pub(crate) fn fits(&self) -> bool {
        self.machine().is_none_or(|machine| machine == ARCH)
    }

    pub(crate) fn machine(&self) -> Option<&str> {
        self.machine.as_deref()
    }

    pub(crate) fn describe(&self, manifest: &Manifest) -> String {
        let text = self.kind().describe(manifest);
        match &self.machine {
            Some(machine) => format!("{text} (for {machine})"),
            None => text,
        }
    }
}

/// The address of a service, as a setting gives it.
fn service(value: &str) -> Result<reqwest::Url, String> {
    let value = value.trim();
    match reqwest::Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url),
        _ => Err(format!("'{value}' is not an http or https address")),
    }
}

/// The first of these environment variables that is set to something, with its name.
fn setting(variables: &[&'static str]) -> Option<(&'static str, String)> {
    let values = variables
        .iter()
        .map(|name| (*name, std::env::var(name).unwrap_or_default()));
    values
        .into_iter()
        .find(|(_, value)| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_service_is_refused() {
        assert!(service(" https://mirror.example/repo\n").is_ok());
        for value in ["undefined", "", "file:///tmp", "registry.example"] {
            assert!(service(value).is_err(), "{value}");
        }
    }
}
