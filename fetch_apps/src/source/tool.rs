//! Asking other installed programs for their settings.

use std::process::{Command, Stdio};

/// What the command line prints on stdout. The error says in a few words why there is nothing.
pub(super) fn ask(command_line: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let shown = command_line.join(" ");
    let output = Command::new(command_line[0])
        .args(&command_line[1..])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("'{shown}' cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("'{shown}' failed ({})", output.status)),
    }
}
