//! `build`: made by a command of the project, which is told the file to write.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::Kind;
use crate::cli::MIRROR_VARIABLE;
use crate::error::{Error, IoContext, Result};
use crate::fetcher::{Fetcher, Wanted};
use crate::manifest::Manifest;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    /// A program of the project, and arguments, separated by spaces.
    command: String,
}

impl Kind for Build {
    fn check(&self, _manifest: &Manifest) -> Result<(), String> {
        match self.command.split_whitespace().next() {
            None => Err("its 'build' names no command".into()),
            Some(program)
                if program.starts_with('/') || program.split('/').any(|part| part == "..") =>
            {
                Err(format!("'{program}' is not a path of the project"))
            }
            Some(_) => Ok(()),
        }
    }

    fn describe(&self, _manifest: &Manifest) -> String {
        format!("the command {}", self.command)
    }

    /// The command may run this tool for what it needs, so that the lock is not held meanwhile; another one keeps a
    /// second run from making the same.
    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf> {
        let output = fetcher.cache.path(wanted.sha256).with_extension("built");
        let finish = || fetcher.take(wanted, &output, &format!("what {} made", self.command));
        let run = || self.run(&output, wanted, fetcher);
        let result = fetcher
            .cache
            .unlocked(wanted.sha256, fetcher.report, run, finish);
        // After a failure there may be none.
        let _ = fs::remove_file(&output);
        result
    }

    fn runs_a_command(&self) -> bool {
        true
    }
}

impl Build {
    fn run(&self, output: &PathBuf, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<()> {
        let _ = fs::remove_file(output);
        let mut words = self.command.split_whitespace();
        let program = fetcher.root.join(words.next().unwrap_or_default());
        fetcher
            .report
            .detail(&format!("{}: running {}", wanted.name, self.command));
        let mut command = Command::new(&program);
        command
            .args(words)
            .arg(output)
            .current_dir(fetcher.root)
            .stdin(Stdio::null());
        // Results go to stdout, and these are none.
        command.stdout(match fetcher.report.is_quiet() {
            true => Stdio::null(),
            false => Stdio::from(std::io::stderr()),
        });
        if let Some(mirror) = fetcher.mirror {
            let mirror = mirror.canonicalize().doing("find", mirror)?;
            command.env(MIRROR_VARIABLE, mirror);
        }
        let status = command
            .status()
            .map_err(|error| Error::new(format!("cannot run {}: {error}", program.display())))?;
        match (status.success(), output.is_file()) {
            (false, _) => Err(Error::new(format!("{} failed ({status})", self.command))),
            (true, false) => Err(Error::new(format!(
                "{} did not write {}",
                self.command,
                output.display()
            ))),
            (true, true) => Ok(()),
        }
    }
}
