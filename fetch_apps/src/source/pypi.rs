//! `pypi`: a file of a project, from whatever Python package index is in use here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;
use serde::Deserialize;

use super::{Kind, service, setting, tool};
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::fetcher::{Fetcher, Wanted};
use crate::http::{Page, shown};
use crate::manifest::Manifest;

/// The simple repository API in JSON (PEP 691).
const JSON: &str = "application/vnd.pypi.simple.v1+json";
/// How pip may be installed.
const PIPS: [&[&str]; 3] = [&["pip"], &["pip3"], &["python3", "-m", "pip"]];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pypi {
    project: String,
    file: String,
}

impl Kind for Pypi {
    fn check(&self, _manifest: &Manifest) -> Result<(), String> {
        match is_project_name(&self.project) {
            true => Ok(()),
            false => Err(format!(
                "'{}' is not the name of a Python project",
                self.project
            )),
        }
    }

    fn describe(&self, _manifest: &Manifest) -> String {
        format!("pypi {}, file {}", self.project, self.file)
    }

    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf> {
        let url = self.locate(wanted.sha256, fetcher)?;
        fetcher.download(wanted, &url, &format!("{} from pypi", self.file))
    }
}

impl Pypi {
    /// The address of the file, which the index does not say to have another digest.
    fn locate(&self, sha256: Sha256, fetcher: &Fetcher<'_>) -> Result<Url> {
        let index = index().map_err(|reason| {
            Error::new(format!(
                "no Python package index is known: {reason}; set PIP_INDEX_URL to the address of an index or mirror"
            ))
        })?;
        let project = project_url(&index, &self.project);
        let page = fetcher.http.page(&project, JSON, fetcher.report)?;
        let problem = |problem: String| Error::new(format!("{}: {problem}", shown(&page.url)));
        let mut files = parse(&page).map_err(problem)?.files.into_iter();
        let listed = files
            .find(|listed| listed.filename == self.file)
            .ok_or_else(|| problem(format!("it lists no file '{}'", self.file)))?;
        let url = file_url(&index, &page.url, &listed.url).map_err(problem)?;
        // Nothing is trusted here: what is downloaded is hashed in any case. But this saves the download.
        match listed
            .hashes
            .get("sha256")
            .and_then(|hash| Sha256::parse(hash))
        {
            Some(listed) if listed != sha256 => Err(Error::new(format!(
                "{}: the index lists it with sha256 {listed}, expected {sha256}",
                shown(&url)
            ))),
            _ => Ok(url),
        }
    }
}

/// The index's address: from the environment as pip itself reads it, else from an installed pip.
fn index() -> Result<Url, String> {
    if let Some((name, value)) = setting(&["PIP_INDEX_URL"]) {
        return service(&value).map_err(|reason| format!("{name}: {reason}"));
    }
    service(&ask_pip()?)
}

fn ask_pip() -> Result<String, String> {
    // A setting may carry a password, which the help text would hide.
    let setting = ["config", "get", "global.index-url"];
    if let Some(value) = PIPS.iter().find_map(|pip| ask(pip, &setting).ok()) {
        return Ok(value);
    }
    let help = PIPS
        .iter()
        .find_map(|pip| ask(pip, &["download", "--help"]).ok())
        .ok_or("PIP_INDEX_URL is not set, and there is no pip that can be asked")?;
    match default_in_help(&help) {
        Some(address) => Ok(address.to_string()),
        None => Err("PIP_INDEX_URL is not set, and 'pip download --help' names no default".into()),
    }
}

fn ask(pip: &[&str], arguments: &[&str]) -> Result<String, String> {
    let environment = [
        // So that no line of the help is broken.
        ("COLUMNS", "10000"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ];
    tool::ask(&[pip, arguments].concat(), &environment)
}

/// pip has no command that tells its built-in index, but its help names the default of each option.
fn default_in_help(help: &str) -> Option<&str> {
    let (_, option) = help.split_once("--index-url <url>")?;
    let (_, default) = option.lines().next()?.split_once("(default ")?;
    Some(default.split_once(')')?.0)
}

#[derive(Deserialize)]
struct Project {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    /// May be relative to the page.
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

fn parse(page: &Page) -> Result<Project, String> {
    if !page.content_type.contains("json") {
        return Err(format!(
            "the index answers in '{}'; needed is the simple API in JSON (PEP 691)",
            page.content_type
        ));
    }
    serde_json::from_slice(&page.text).map_err(|error| format!("it cannot be read: {error}"))
}

fn project_url(index: &Url, project: &str) -> Url {
    let mut url = index.clone();
    let path = index.path().trim_end_matches('/');
    url.set_path(&format!("{path}/{}/", normalized(project)));
    url
}

/// The one spelling of a project's name (PEP 503).
fn normalized(project: &str) -> String {
    let parts = project
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}

fn file_url(index: &Url, page: &Url, listed: &str) -> Result<Url, String> {
    let mut url = page
        .join(listed)
        .map_err(|error| format!("'{listed}' is not an address: {error}"))?;
    if url.scheme() != "https" && url.scheme() != index.scheme() {
        return Err(format!("'{}' is not an https address", shown(&url)));
    }
    // As pip does: who may read the index may read the files on the same server.
    if url.origin() == index.origin() && url.username().is_empty() {
        // Both fail only for addresses that cannot hold credentials in the first place.
        let _ = url.set_username(index.username());
        let _ = url.set_password(index.password());
    }
    Ok(url)
}

fn is_project_name(project: &str) -> bool {
    let alphanumeric = |char: char| char.is_ascii_alphanumeric();
    project.starts_with(alphanumeric)
        && project.ends_with(alphanumeric)
        && project
            .chars()
            .all(|char| alphanumeric(char) || matches!(char, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_found_in_pips_help() {
        let help = "Package Index Options:\n  -i, --index-url <url>       Base URL of the index \
                    (default https://index.example/simple). This should (or may) point\n  --no-index (default x)\n";
        assert_eq!(default_in_help(help), Some("https://index.example/simple"));
        assert_eq!(default_in_help("--index-url <url>\n--x (default y)"), None);
    }

    #[test]
    fn names_have_one_spelling() {
        for name in ["Foo.Bar_baz", "foo--bar-baz", "foo-_.bar_baz"] {
            assert_eq!(normalized(name), "foo-bar-baz");
        }
        let index = Url::parse("https://index.example/repo/simple/").unwrap();
        assert_eq!(
            project_url(&index, "Py_Thing").as_str(),
            "https://index.example/repo/simple/py-thing/"
        );
    }

    #[test]
    fn files_may_lie_elsewhere_but_not_in_the_clear() {
        let index = Url::parse("https://me:secret@index.example/simple").unwrap();
        let page = Url::parse("https://me:secret@index.example/simple/a/").unwrap();
        let url = |listed| file_url(&index, &page, listed).map(String::from);
        assert_eq!(
            url("../../files/a.whl#sha256=0").unwrap(),
            "https://me:secret@index.example/files/a.whl#sha256=0"
        );
        assert_eq!(
            url("https://index.example/a.whl").unwrap(),
            "https://me:secret@index.example/a.whl"
        );
        assert_eq!(
            url("https://files.example/a.whl").unwrap(),
            "https://files.example/a.whl"
        );
        assert!(url("http://index.example/a.whl").is_err());
        assert!(url("file:///etc/passwd").is_err());
    }

    #[test]
    fn names_cannot_leave_the_index() {
        assert!(is_project_name("Pygments") && is_project_name("zope.interface"));
        for name in ["", "../a", "a/b", "-a", "a-", "a b", "a?b"] {
            assert!(!is_project_name(name), "{name}");
        }
    }
}
