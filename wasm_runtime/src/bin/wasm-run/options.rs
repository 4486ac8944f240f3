//! The command line.

use crate::failure::Failure;
use crate::httpd;
use crate::section;
use crate::settings::{
    DEFAULT_CACHE_DIR, DEFAULT_DESCRIPTORS, DEFAULT_MEMORY, DEFAULT_PREINIT_TIMEOUT,
    DEFAULT_TMP_SIZE, Settings, Snapshot,
};
use crate::values::{self, TmpDir};
use clap::Parser;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;
use wasm_runtime::run::{DEFAULT_ENTRY_POINT, Mount};

const USAGE: &str = "wasm-run [OPTIONS] MODULE [ARG]...
       wasm-run [OPTIONS] --section URL-PATH [--] [ARG]...";

const AFTER_HELP: &str = "\
Whatever follows MODULE is the program's, even what looks like an option. The program sees no file, no variable and no \
network but what it is given here.

Exit status: the program's own, or 124 when its time was over, 134 (as by SIGABRT) when it trapped, 141 (as by SIGPIPE) when \
nobody took its output any more; 125 when wasm-run itself failed, 126 when the module cannot be run, 127 when it is not there. \
Signals end wasm-run as they end any command: 130 for a shell after Ctrl-C.";

/// Run a WebAssembly program as a command, in the sandbox that it has in the web server
#[derive(Parser)]
#[command(name = "wasm-run", version, override_usage = USAGE, after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Show a directory of this machine to the program: its absolute path for the program, and where it lies; ro at the end
    /// makes it read-only (:ro:rw is for a HOST whose name ends in :ro)
    #[arg(
        long = "mount",
        value_name = "GUEST=HOST[:ro]",
        value_parser = OsStringValueParser::new().try_map(values::mount)
    )]
    mounts: Vec<Mount>,

    /// A variable for the program; NAME alone passes one of wasm-run's own on
    #[arg(
        long = "env",
        value_name = "NAME[=VALUE]",
        value_parser = OsStringValueParser::new().try_map(values::variable)
    )]
    env: Vec<(Vec<u8>, Vec<u8>)>,

    #[arg(
        long,
        value_name = "GUEST[=BYTES]",
        value_parser = values::tmp_dir,
        help = format!("Give it a directory for temporary files, which is gone after the run, and in which so much may be ({DEFAULT_TMP_SIZE})")
    )]
    tmp_dir: Option<TmpDir>,

    /// How long it may run, in seconds, or with ms, s, min or h (no limit)
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    timeout: Option<Duration>,

    /// How much processor time it may use, written alike (no limit)
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    cpu_limit: Option<Duration>,

    #[arg(
        long,
        value_name = "BYTES",
        value_parser = values::memory,
        help = format!("How much memory it may use, with an optional K, M or G ({DEFAULT_MEMORY})")
    )]
    memory: Option<u64>,

    /// How much it may write into its directories (no limit)
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    write_limit: Option<u64>,

    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u64).range(16..=4096),
        help = format!("How many files and directories it may have open, 16 to 4096 ({DEFAULT_DESCRIPTORS})")
    )]
    file_limit: Option<u64>,

    #[arg(
        long,
        help = format!("Begin from a snapshot: run its initialiser once (for {DEFAULT_PREINIT_TIMEOUT} s at most), and keep what comes of it for \
            later; with --section a snapshot that is there is used without this option")
    )]
    preinit: bool,

    /// A variable for the initialiser
    #[arg(
        long = "preinit-env",
        value_name = "NAME[=VALUE]",
        value_parser = OsStringValueParser::new().try_map(values::variable)
    )]
    preinit_env: Vec<(Vec<u8>, Vec<u8>)>,

    /// Let it make symbolic links
    #[arg(long)]
    allow_symlinks: bool,

    #[arg(
        long,
        value_name = "NAME",
        help = format!("The exported function to call ({DEFAULT_ENTRY_POINT})")
    )]
    entry_point: Option<String>,

    #[arg(
        long,
        value_name = "DIR",
        help = format!("Where compiled code is kept, as WasmCacheDir says ({DEFAULT_CACHE_DIR})")
    )]
    cache_dir: Option<PathBuf>,

    /// Take module, directories, variables, arguments and limits but those of time from the web server's configuration, as they
    /// are for URL-PATH in <Location>, or for a directory of this machine in <Directory>; the other options add to that
    #[arg(long, value_name = "URL-PATH")]
    section: Option<String>,

    /// The virtual host in which the section is, where several have one
    #[arg(long, value_name = "NAME", requires = "section")]
    server: Option<String>,

    /// The web server's configuration (the one that httpd has by itself)
    #[arg(long, value_name = "FILE", requires = "section")]
    config: Option<PathBuf>,

    #[arg(
        long,
        value_name = "PROGRAM",
        requires = "section",
        help = format!("The program that reads it (the first of {})", httpd::PROGRAMS.join(", "))
    )]
    httpd: Option<PathBuf>,

    #[arg(
        value_name = "MODULE",
        hide = true,
        trailing_var_arg = true,
        required_unless_present = "section"
    )]
    /// The module and its arguments; with `--section` the arguments alone.
    command: Vec<OsString>,
}

impl Options {
    /// What is to be run, and how.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut arguments = self.command.iter().cloned();
        let mut settings = match &self.section {
            Some(path) => {
                let printed = httpd::dump(self.httpd.as_deref(), self.config.as_deref())?;
                section::find(&printed, path, self.server.as_deref())?
            }
            None => Settings::of_module(arguments.next().unwrap_or_default())?,
        };
        settings.args.extend(arguments.map(OsString::into_vec));
        self.override_in(&mut settings);
        Ok(settings)
    }

    fn override_in(&self, settings: &mut Settings) {
        for mount in &self.mounts {
            // Where the section has its own temporary files.
            settings
                .tmp_dir
                .take_if(|tmp_dir| tmp_dir.guest == mount.guest);
            settings.set_mount(mount.clone());
        }
        if let Some(tmp_dir) = &self.tmp_dir {
            settings.tmp_dir = Some(tmp_dir.clone());
            settings.hide_mount();
        }
        for (name, value) in &self.env {
            settings.set_variable(name.clone(), value.clone());
        }
        for (name, value) in &self.preinit_env {
            settings.set_preinit_variable(name.clone(), value.clone());
        }
        if self.preinit {
            settings.snapshot = Snapshot::Required;
        }
        settings.timeout = self.timeout;
        settings.cpu_limit = self.cpu_limit;
        settings.memory = self.memory.or(settings.memory);
        settings.write_limit = self.write_limit.or(settings.write_limit);
        settings.file_limit = self.file_limit.or(settings.file_limit);
        settings.allow_symlinks |= self.allow_symlinks;
        settings.entry_point = self.entry_point.clone().or(settings.entry_point.take());
        settings.cache_dir = self.cache_dir.clone().or(settings.cache_dir.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_follows_the_module_is_the_programs() {
        let options = Options::parse_from(["wasm-run", "--memory", "1M", "m", "--memory", "-h"]);
        assert_eq!(options.command, ["m", "--memory", "-h"]);
        let options = Options::parse_from(["wasm-run", "--section", "/x", "--", "--env", "-h"]);
        assert_eq!(options.command, ["--env", "-h"]);
    }
}
