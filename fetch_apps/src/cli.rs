//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::help;

const WHAT: &str = "What to do";
const WHERE: &str = "Where";
const SOURCES: &str = "Sources";
const OUTPUT: &str = "Output";

/// Fetches the programs and applications that mod_wasm's demos and tests run
///
/// What can be fetched stands in a manifest, with one or more sources for each artifact and the SHA-256 digest of its bytes.
/// The sources are tried in their order; whatever comes is checked against the digest before it is used, and unpacked into
/// a folder of its own. A download that broke off goes on where it ended. A second run has nothing to do.
#[derive(Debug, Parser)]
#[command(
    name = "fetch-apps",
    version,
    after_long_help = help::after_options(),
    args_override_self = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Artifacts to fetch; without a name: those that the manifest marks as default
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
    #[arg(
        long,
        value_name = "FILE",
        default_value = "apps/apps.toml",
        global = true
    , help_heading = WHERE)]
    pub(crate) manifest: PathBuf,

    /// The folder that gets one subfolder for each artifact [default: 'fetched' beside the manifest]
    #[arg(long, value_name = "DIR", global = true, help_heading = WHERE)]
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
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, global = true, help_heading = SOURCES)]
    pub(crate) timeout: Duration,

    /// Print results as JSON, one object on each line
    #[arg(long, global = true, help_heading = OUTPUT)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Print errors only; with --json: leave out what goes to stderr besides them
    #[arg(short, long, global = true, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Pin(Pin),
}

/// Pins an artifact to another version in the manifest
///
/// The version is put into the artifact's name, file and addresses wherever the present one stands there, and downloaded
/// from every source that has it. What changes is shown, and written after a yes: version, size, SHA-256 digest and
/// addresses; comments and layout stay. A source that cannot tell the new version (an npm package has a version of its
/// own) is taken out. When anything fails, nothing is written.
#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// The artifact
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The version to pin
    #[arg(long, value_name = "V")]
    pub(crate) version: String,

    /// Write without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}

impl Cli {
    /// Reads the command line of this process; ends it where that is wrong or asks for help.
    pub(crate) fn read() -> Self {
        let cli = Self::parse();
        if cli.command.is_some() && cli.has_fetch_options() {
            let message = "'pin' takes none of the arguments of a fetch";
            Self::command()
                .error(ErrorKind::ArgumentConflict, message)
                .exit();
        }
        cli
    }

    fn has_fetch_options(&self) -> bool {
        let flags = [self.list, self.verify, self.force, self.offline];
        !self.names.is_empty() || self.mirror.is_some() || flags.contains(&true)
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
