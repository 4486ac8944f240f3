//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

const WHAT: &str = "What to do";
const WHERE: &str = "Where";
const SOURCES: &str = "Sources";
const OUTPUT: &str = "Output";

/// Does what `--mirror` does.
pub(crate) const MIRROR_VARIABLE: &str = "FETCH_APPS_MIRROR";

const AFTER_OPTIONS: &str = "\
Examples:
  fetch-apps                                   what the demos need
  fetch-apps wordpress-6.5.5 python-3.11.3     these, by the names that --list shows
  fetch-apps --list                            what there is, and what is here already
  fetch-apps --verify                          read everything that is here again
  fetch-apps --offline --mirror /mnt/fetched   from a copy of the .cache folder of another machine

Environment:
  FETCH_APPS_MIRROR
      As --mirror, which wins over it.
  NPM_CONFIG_REGISTRY, PIP_INDEX_URL
      The npm registry and the Python package index. Without them an installed npm and pip are asked.
  APT_CONFIG
      As apt reads it: the mirrors of the distribution are those that apt knows.
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
      The proxies to use, and for which servers to use none.
  SSL_CERT_FILE, SSL_CERT_DIR
      Certificates to trust instead of the system's.

Files:
  apps/apps.toml
      The manifest: what can be fetched, from where, with which digest.
  DIR/NAME/
      An artifact, unpacked; DIR is the folder of --into. What others put there stays, unless --force is given.
  DIR/NAME/.ht-fetched.sha256
      The digests of its files; sha256sum --quiet -c reads it too.
  DIR/.cache/
      Verified downloads, named by digest. Remove the folder to get the space back; copy it to make a mirror.

Exit status:
  0  All is well.
  1  Something failed; the other artifacts have been fetched nevertheless.
  2  The command line is wrong.";

/// Fetches the programs and applications that mod_wasm's demos and tests run
///
/// What can be fetched stands in a manifest, with one or more sources for each artifact and the SHA-256 digest of their
/// bytes. The sources are tried in their order; whatever comes is checked against the digest before it is used, and
/// unpacked into a folder of its own. A download that broke off goes on where it ended. A second run has nothing to do.
#[derive(Debug, Parser)]
#[command(name = "fetch-apps", version, after_long_help = AFTER_OPTIONS, args_override_self = true)]
pub(crate) struct Cli {
    /// Artifacts to fetch, or groups of them; without a name: those that the manifest marks as default
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// List the artifacts of the manifest with their state, and fetch nothing
    #[arg(long, conflicts_with_all = ["verify", "force"], help_heading = WHAT)]
    pub(crate) list: bool,

    /// Read fetched artifacts again and compare every file; without a name: all that are here
    #[arg(long, conflicts_with = "force", help_heading = WHAT)]
    pub(crate) verify: bool,

    /// Unpack again even what is up to date, replacing the artifact's whole folder
    #[arg(long, help_heading = WHAT)]
    pub(crate) force: bool,

    /// The manifest to read
    #[arg(long, value_name = "FILE", default_value = "apps/apps.toml", help_heading = WHERE)]
    pub(crate) manifest: PathBuf,

    /// The folder that gets one subfolder for each artifact [default: 'fetched' beside the manifest]
    #[arg(long, value_name = "DIR", help_heading = WHERE)]
    into: Option<PathBuf>,

    /// Use only what the download cache and the mirror hold, and ask no server
    #[arg(long, help_heading = SOURCES)]
    pub(crate) offline: bool,

    /// A folder of files named by their SHA-256 digest, such as another machine's download cache; it is looked into
    /// before any server is asked
    #[arg(long, value_name = "DIR", value_parser = folder, help_heading = SOURCES)]
    pub(crate) mirror: Option<PathBuf>,

    /// How many artifacts are fetched at the same time
    #[arg(short, long, value_name = "N", default_value = "4", value_parser = jobs, help_heading = SOURCES)]
    pub(crate) jobs: usize,

    /// Give up on a server that is silent for this long, or that only drips for twice as long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = SOURCES)]
    pub(crate) timeout: Duration,

    /// Print results as JSON, one object on each line
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) json: bool,

    /// Print errors only; with --json: leave out what goes to stderr besides them
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

impl Cli {
    /// Reads the command line of this process; ends it where that is wrong or asks for help.
    pub(crate) fn read() -> Self {
        let mut cli = Self::parse();
        let variable = std::env::var(MIRROR_VARIABLE).unwrap_or_default();
        if cli.mirror.is_none() && !variable.is_empty() {
            let wrong = |problem| {
                let message = format!("{MIRROR_VARIABLE} is '{variable}': {problem}");
                Self::command()
                    .error(ErrorKind::ValueValidation, message)
                    .exit()
            };
            cli.mirror = Some(folder(&variable).unwrap_or_else(wrong));
        }
        cli
    }

    pub(crate) fn target_folder(&self) -> PathBuf {
        match &self.into {
            Some(folder) => folder.clone(),
            None => self.manifest.with_file_name("fetched"),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds.into())),
        _ => Err("expected whole seconds from 1 to 3600".into()),
    }
}

fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.is_dir() {
        true => Ok(path),
        false => Err("there is no such folder".into()),
    }
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=16) => Ok(jobs),
        _ => Err("expected a number from 1 to 16".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_target_folder_stands_beside_the_manifest() {
        let cli = Cli::parse_from(["fetch-apps", "--manifest", "some/where/apps.toml"]);
        assert_eq!(cli.target_folder(), PathBuf::from("some/where/fetched"));
        let cli = Cli::parse_from(["fetch-apps", "--into", "there"]);
        assert_eq!(cli.target_folder(), PathBuf::from("there"));
    }

    #[test]
    fn silly_timeouts_are_refused() {
        for text in ["0", "-1", "x", "3601"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
