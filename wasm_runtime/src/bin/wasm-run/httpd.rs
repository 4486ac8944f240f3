//! Asks the web server for its configuration.

use crate::failure::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian's scripts set the variables that its configuration needs.
pub(crate) const PROGRAMS: [&str; 4] = ["apache2ctl", "apachectl", "httpd", "apache2"];

/// Where it lies when `PATH`, as that of a cron job, does not lead there.
const FOLDERS: [&str; 2] = ["/usr/local/sbin", "/usr/sbin"];

/// What httpd prints of a configuration; without `config`, of its own one.
pub(crate) fn dump(program: Option<&Path>, config: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let program = program.map_or_else(find, |program| Ok(program.to_owned()))?;
    let failed = |cause: String| Failure::own(format!("{}: {cause}", program.display()));
    let mut command = Command::new(&program);
    command.args(["-t", "-D", "DUMP_WASM"]).stdin(Stdio::null());
    if let Some(config) = config {
        let config = std::path::absolute(config);
        let config = config.map_err(|error| failed(error.to_string()))?;
        command.arg("-f").arg(config);
    }
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().map(str::trim).collect();
        return Err(failed(format!(
            "the configuration cannot be read: {}",
            said.join(" ")
        )));
    }
    Ok(output.stdout)
}

fn find() -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(FOLDERS.map(PathBuf::from))
        .collect();
    PROGRAMS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            let names = PROGRAMS.join(", ");
            Failure::own(format!(
                "no httpd is installed ({names}): name it with --httpd"
            ))
        })
}
