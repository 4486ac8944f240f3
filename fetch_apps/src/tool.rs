//! Asking other installed programs for their settings.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long such a program may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the command line prints on stdout. The error says in a few words why there is nothing.
pub(crate) fn ask(command_line: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let shown = command_line.join(" ");
    let mut child = Command::new(command_line[0])
        .args(&command_line[1..])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("'{shown}' cannot be run: {error}"))?;
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = Vec::new();
        let outcome = stdout.read_to_end(&mut answer).map(|_| answer);
        // Nobody listens any more when it took too long.
        let _ = sender.send(outcome);
    });
    let answer = receiver.recv_timeout(PATIENCE);
    if answer.is_err() {
        // It may have ended just now, which is as good.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let Ok(answer) = answer else {
        let seconds = PATIENCE.as_secs();
        return Err(format!("'{shown}' gave no answer in {seconds} s"));
    };
    if !status.success() {
        return Err(format!("'{shown}' failed ({status})"));
    }
    let answer = answer.map_err(|error| format!("'{shown}' cannot be read: {error}"))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
