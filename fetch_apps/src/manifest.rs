//! `apps.toml`: what can be fetched, from where, and how it is unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use crate::digest::Sha256;
use crate::error::{Error, IoContext, Kind, Result};
use crate::source::Source;
use crate::source::npm::Tarball;

const DEFAULT_MAX_ENTRIES: u64 = 20_000;
const DEFAULT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Stands for the artifact's version in its other texts.
const VERSION: &str = "{version}";

#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) tarballs: BTreeMap<String, Tarball>,
    pub(crate) artifacts: Vec<Artifact>,
}

/// The manifest as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// What several artifacts have in common: `version = "{NAME}"` stands for one of these.
    #[serde(default)]
    version: BTreeMap<String, String>,
    /// npm tarballs that artifacts come from, by a short name.
    #[serde(default)]
    tarball: BTreeMap<String, Tarball>,
    #[serde(default)]
    artifact: Vec<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Artifact {
    /// Also the name of its folder.
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: String,
    /// Fetched when no name is given.
    #[serde(default)]
    pub(crate) default: bool,
    /// A name that it shares with others.
    pub(crate) group: Option<String>,
    pub(crate) unpack: Format,
    /// The file's name inside the artifact's folder; for `unpack = "none"` only.
    pub(crate) file: Option<String>,
    /// Leading path components that are dropped from every entry.
    #[serde(default)]
    pub(crate) strip: usize,
    /// Paths (after stripping) that are left out, with all below them.
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
    /// The most files and folders that it may unpack to.
    #[serde(default = "default_max_entries")]
    pub(crate) max_entries: u64,
    /// The most bytes that it may unpack to.
    #[serde(default = "default_max_bytes")]
    pub(crate) max_bytes: u64,
    /// In the order of trying; for every kind of machine.
    pub(crate) sources: Vec<Source>,
    /// Parts of npm tarballs that are merged into the same folder.
    #[serde(default)]
    pub(crate) add: Vec<Addition>,
}

fn default_max_entries() -> u64 {
    DEFAULT_MAX_ENTRIES
}

fn default_max_bytes() -> u64 {
    DEFAULT_MAX_BYTES
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Format {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "tar.gz")]
    TarGz,
    #[serde(rename = "tar.xz")]
    TarXz,
    #[serde(rename = "zip")]
    Zip,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addition {
    pub(crate) tarball: String,
    /// The folder inside the tarball whose content is merged.
    pub(crate) prefix: String,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).doing("read the manifest", path)?;
        Self::parse(&text).map_err(|problem| Error::new(format!("{}: {problem}", path.display())))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
        let read = |table| Artifact::read(table, &document.version);
        let artifacts = document.artifact.into_iter().map(read);
        let manifest = Self {
            tarballs: document.tarball,
            artifacts: artifacts.collect::<Result<_, _>>()?,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// The artifact of this name, or those of the group of this name.
    pub(crate) fn named(&self, name: &str) -> Result<Vec<&Artifact>> {
        let has_name =
            |artifact: &&Artifact| artifact.name == name || artifact.group.as_deref() == Some(name);
        let found: Vec<_> = self.artifacts.iter().filter(has_name).collect();
        if found.is_empty() {
            let known = self.artifacts.iter().map(|artifact| artifact.name.as_str());
            let known = known.collect::<Vec<_>>().join(", ");
            let message = format!("'{name}' is not in the manifest; it lists: {known}");
            return Err(Error::of(Kind::Usage, message));
        }
        Ok(found)
    }

    /// The tarball of a source or an addition; `check` has made sure that it exists.
    pub(crate) fn tarball(&self, name: &str) -> &Tarball {
        &self.tarballs[name]
    }

    pub(crate) fn check_tarball(&self, name: &str) -> Result<(), String> {
        match self.tarballs.contains_key(name) {
            true => Ok(()),
            false => Err(format!("there is no [tarball.{name}]")),
        }
    }

    fn check(&self) -> Result<(), String> {
        for (name, tarball) in &self.tarballs {
            let check = tarball.check();
            check.map_err(|problem| format!("tarball '{name}': {problem}"))?;
        }
        let mut names = BTreeSet::new();
        for artifact in &self.artifacts {
            let name = &artifact.name;
            if !names.insert(name) {
                return Err(format!("artifact '{name}' is listed twice"));
            }
            let check = artifact.check(self);
            check.map_err(|problem| format!("artifact '{name}': {problem}"))?;
        }
        match self
            .artifacts
            .iter()
            .filter_map(|artifact| artifact.group.as_ref())
            .find(|group| names.contains(group))
        {
            Some(group) => Err(format!("'{group}' is both an artifact and a group")),
            None => Ok(()),
        }
    }
}

impl Artifact {
    fn read(mut table: Table, versions: &BTreeMap<String, String>) -> Result<Self, String> {
        if let Some(version) = table.get("version").and_then(Value::as_str) {
            let shared = versions
                .iter()
                .find(|(name, _)| version == format!("{{{name}}}"));
            let version = shared.map_or(version, |(_, version)| version).to_string();
            table.insert("version".into(), Value::String(version.clone()));
            table
                .iter_mut()
                .for_each(|(_, value)| expand(value, &version));
        }
        let name = table
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("without a name");
        let name = format!("artifact '{name}'");
        share_digest(&mut table);
        table.try_into().map_err(|error| format!("{name}: {error}"))
    }

    /// The sources for this kind of machine.
    pub(crate) fn fitting(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.fits())
    }

    /// What the artifact's file may be on this kind of machine, each digest once.
    pub(crate) fn digests(&self) -> Vec<Sha256> {
        let mut digests = Vec::new();
        for source in self.fitting() {
            if !digests.contains(&source.sha256) {
                digests.push(source.sha256);
            }
        }
        digests
    }

    pub(crate) fn runs_a_command(&self) -> bool {
        self.fitting().any(|source| source.kind().runs_a_command())
    }

    fn check(&self, manifest: &Manifest) -> Result<(), String> {
        // The name becomes a folder beside the cache; a leading dot would let it collide with the tool's own files.
        if !is_plain_name(&self.name) {
            return Err("the name may hold letters, digits, '.', '_' and '-', and starts with a letter or digit".into());
        }
        self.check_unpack_rules()?;
        if self.sources.is_empty() {
            return Err("it has no sources".into());
        }
        for source in &self.sources {
            source.kind().check(manifest)?;
        }
        let mut additions = self.add.iter();
        additions.try_for_each(|addition| manifest.check_tarball(&addition.tarball))
    }

    fn check_unpack_rules(&self) -> Result<(), String> {
        if self.unpack != Format::None {
            return match self.file {
                Some(_) => Err("'file' belongs to unpack = \"none\"".into()),
                None => Ok(()),
            };
        }
        if self.strip != 0 || !self.exclude.is_empty() || !self.add.is_empty() {
            return Err("'strip', 'exclude' and 'add' need an archive".into());
        }
        match &self.file {
            Some(file) if is_plain_name(file) => Ok(()),
            Some(file) => Err(format!("'{file}' is not a plain file name")),
            None => Err("unpack = \"none\" needs 'file', the name to store it under".into()),
        }
    }
}

/// Puts the version into every text below.
fn expand(value: &mut Value, version: &str) {
    match value {
        Value::String(text) => *text = text.replace(VERSION, version),
        Value::Array(values) => values.iter_mut().for_each(|value| expand(value, version)),
        Value::Table(table) => table
            .iter_mut()
            .for_each(|(_, value)| expand(value, version)),
        _ => {}
    }
}

/// Gives the artifact's digest and size to the sources that have none of their own.
fn share_digest(artifact: &mut Table) {
    let shared = ["sha256", "size"].map(|key| (key, artifact.remove(key)));
    let Some(sources) = artifact.get_mut("sources").and_then(Value::as_array_mut) else {
        return;
    };
    let tables = sources.iter_mut().filter_map(Value::as_table_mut);
    for source in tables.filter(|source| !source.contains_key("sha256")) {
        for (key, value) in &shared {
            if let Some(value) = value {
                source.entry(*key).or_insert_with(|| value.clone());
            }
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn artifact(lines: &str) -> Result<Manifest, String> {
        Manifest::parse(&format!(
            "[tarball.t]\npackage = \"@s/p\"\nversion = \"1.0.0\"\nsha256 = \"{DIGEST}\"\n\
             [[artifact]]\nabout = \"a\"\nversion = \"1\"\nlicense = \"MIT\"\nsha256 = \"{DIGEST}\"\n{lines}"
        ))
    }

    #[test]
    fn the_committed_manifest_is_sound() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../apps/apps.toml");
        let manifest = Manifest::read(&path).unwrap();
        assert!(manifest.artifacts.iter().any(|artifact| artifact.default));
    }

    #[test]
    fn the_version_stands_once_and_each_source_may_have_its_own_digest() {
        let other = DIGEST.replace('e', "f");
        let lines = format!(
            "name = 'a-{{version}}'\nsize = 7\nunpack = 'tar.xz'\nsources = [\n\
             {{ type = 'https', url = 'https://example.org/{{version}}.xz' }},\n\
             {{ type = 'debian', pool = 'pool/a_{{version}}.xz', sha256 = '{other}' }}]"
        );
        let manifest = artifact(&lines).unwrap();
        let artifact = manifest.named("a-1").unwrap()[0];
        let [first, second] = &artifact.sources[..] else {
            panic!("{artifact:?}")
        };
        assert_eq!(first.describe(&manifest), "https://example.org/1.xz");
        assert_eq!(
            (first.sha256.to_string(), first.size),
            (DIGEST.into(), Some(7))
        );
        // A size belongs to the digest beside it.
        assert_eq!((second.sha256.to_string(), second.size), (other, None));
        assert_eq!(artifact.digests(), [first.sha256, second.sha256]);
    }

    #[test]
    fn faults_are_named() {
        let good = r#"sources = [{ type = "https", url = "https://example.org/a" }]"#;
        let source =
            |source: &str| format!("name = 'a'\nunpack = 'zip'\nsources = [{{ {source} }}]");
        let cases = [
            (
                format!("name = '../a'\nunpack = 'zip'\n{good}"),
                "the name may hold",
            ),
            (
                format!("name = '.cache'\nunpack = 'zip'\n{good}"),
                "the name may hold",
            ),
            (
                format!("name = 'a'\nunpack = 'none'\n{good}"),
                "needs 'file'",
            ),
            (
                format!("name = 'a'\nunpack = 'none'\nfile = '../b'\n{good}"),
                "not a plain file name",
            ),
            (
                format!("name = 'a'\nunpack = 'none'\nfile = 'b'\nstrip = 1\n{good}"),
                "need an archive",
            ),
            (
                format!("name = 'a'\nunpack = 'zip'\nfile = 'b'\n{good}"),
                "'file' belongs to",
            ),
            (
                format!("name = 'a'\nunpack = 'rar'\n{good}"),
                "artifact 'a': unknown variant",
            ),
            (
                format!("name = 'a'\nunpack = 'zip'\nsize_ = 1\n{good}"),
                "unknown field",
            ),
            (
                format!("name = 'a'\nunpack = 'zip'\ngroup = 'a'\n{good}"),
                "both an artifact and a group",
            ),
            (
                "name = 'a'\nunpack = 'zip'\nsources = []".into(),
                "no sources",
            ),
            (
                source("type = 'npm', tarball = 'u', member = 'm'"),
                "no [tarball.u]",
            ),
            (
                source("type = 'pypi', project = '../p', file = 'f'"),
                "not the name of a Python project",
            ),
            (
                source("type = 'https', url = 'http://example.org/'"),
                "not an https address",
            ),
            (
                source("type = 'https', url = 'https://example.org/', sha256 = '1'"),
                "not a SHA-256 digest",
            ),
            (
                source("type = 'https', url = 'https://example.org/', x = '1'"),
                "unknown field `x`",
            ),
            (
                source("type = 'ftp', url = 'https://example.org/'"),
                "unknown variant `ftp`",
            ),
            (
                source("type = 'debian', pool = '../x'"),
                "not a path below 'pool/'",
            ),
            (
                source("type = 'debian', pool = 'pool/a/../../x'"),
                "not a path below 'pool/'",
            ),
            (source("type = 'build', command = ' '"), "names no command"),
            (
                source("type = 'build', command = '/bin/true'"),
                "not a path of the project",
            ),
        ];
        for (lines, problem) in cases {
            let message = artifact(&lines).expect_err(&lines);
            assert!(message.contains(problem), "{lines}\ngave: {message}");
        }
    }

    #[test]
    fn artifacts_may_share_a_version() {
        let lines = "name = 'a-{version}'\nunpack = 'zip'\nsources = [{ type = 'npm', tarball = 't', member = 'm' }]\n\
            [version]\nruntime = '8'";
        let text = format!(
            "[tarball.t]\npackage = \"@s/p\"\nversion = \"1.0.0\"\nsha256 = \"{DIGEST}\"\n\
             [[artifact]]\nabout = \"a\"\nversion = \"{{runtime}}\"\nlicense = \"MIT\"\nsha256 = \"{DIGEST}\"\n{lines}"
        );
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.named("a-8").unwrap()[0].version, "8");
    }

    #[test]
    fn a_group_is_a_name_for_several() {
        let more = |name| {
            format!(
                "name = '{name}'\ngroup = 'g'\nunpack = 'zip'\nsources = [{{ type = 'npm', tarball = 't', member = 'm' }}]"
            )
        };
        let second = format!(
            "[[artifact]]\nabout = 'b'\nversion = '1'\nlicense = 'MIT'\nsha256 = '{DIGEST}'\n{}",
            more("b")
        );
        let manifest = artifact(&format!("{}\n{second}", more("a"))).unwrap();
        assert_eq!(manifest.named("g").unwrap().len(), 2);
        assert_eq!(manifest.named("b").unwrap().len(), 1);
        let message = manifest.named("c").unwrap_err().to_string();
        assert_eq!(message, "'c' is not in the manifest; it lists: a, b");
    }
}
