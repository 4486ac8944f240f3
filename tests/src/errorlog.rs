//! httpd's error logs: reading them, and telling what is normal from what is not.

use std::fmt;
use std::fs;
use std::path::Path;

/// The format that the harness configures; `parse` takes it apart again.
pub(crate) const FORMAT: &str = "[%{u}t] [%-m:%-l] [pid %P] [id %-L] [client %-a] %M";

/// What a start, a stop and a restart write without anything being wrong.
const NORMAL: &[&str] = &[
    "AH00094: Command line:",
    "AH00163:",
    "AH00169: caught SIGTERM, shutting down",
    "AH00171: Graceful restart requested, doing restart",
    "AH00173: SIGHUP received.  Attempting to restart",
    "AH00292:",
    "AH00489:",
    "AH00491: caught SIGTERM, shutting down",
    "AH00492: caught SIGWINCH, shutting down gracefully",
    "AH00494: SIGHUP received.  Attempting to restart",
    "AH00493: SIGUSR1 received.  Doing graceful restart",
    "AH00170: caught SIGWINCH, shutting down gracefully",
    "WASM0020: compiled ",
    COMPILING,
    TAKING_A_SNAPSHOT,
];

/// What a start or restart says while somebody waits for it.
const COMPILING: &str = "WASM0024: compiling ";
const TAKING_A_SNAPSHOT: &str = "WASM0025: taking a snapshot of ";

/// Whether the line is normal on the terminal of whoever starts httpd.
pub(crate) fn is_normal_at_start(line: &str) -> bool {
    line.starts_with(COMPILING) || line.starts_with(TAKING_A_SNAPSHOT)
}

/// What httpd writes when it is ready, by MPM.
pub(crate) const READY: &[&str] = &["AH00163:", "AH00292:", "AH00489:"];

/// One line of an error log.
#[derive(Clone)]
pub struct LogLine {
    /// Name of the log's file.
    pub file: String,
    /// The line as it stands there.
    pub raw: String,
    /// Name of the httpd module, `-` where there is none; empty for a line that httpd did not write.
    pub module: String,
    pub level: String,
    pub pid: u32,
    /// Log id of the request, `-` outside of one.
    pub id: String,
    pub client: String,
    pub message: String,
}

impl fmt::Debug for LogLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\n{}: {}", self.file, self.raw)
    }
}

impl LogLine {
    fn parse(file: &str, raw: &str) -> Self {
        let mut line = Self {
            file: file.to_owned(),
            raw: raw.to_owned(),
            module: String::new(),
            level: String::new(),
            pid: 0,
            id: String::new(),
            client: String::new(),
            message: raw.to_owned(),
        };
        let Some(fields) = split(raw) else {
            return line;
        };
        let ([module_level, pid, id, client], message) = fields;
        let (Some((module, level)), Ok(pid)) = (module_level.split_once(':'), pid.parse()) else {
            return line;
        };
        line.module = module.to_owned();
        line.level = level.to_owned();
        line.pid = pid;
        line.id = id.to_owned();
        line.client = client.to_owned();
        line.message = message.to_owned();
        line
    }

    /// Whether httpd itself wrote the line.
    pub fn is_regular(&self) -> bool {
        !self.module.is_empty()
    }

    /// Whether the line needs no one's permission: what is below `notice`, and the notices of starts and stops.
    pub(crate) fn is_normal(&self) -> bool {
        let chatter =
            ["info", "debug"].contains(&self.level.as_str()) || self.level.starts_with("trace");
        self.is_regular()
            && (chatter || NORMAL.iter().any(|normal| self.message.starts_with(normal)))
    }
}

/// Takes `[time] [module:level] [pid n] [id x] [client a] message` apart.
fn split(raw: &str) -> Option<([&str; 4], &str)> {
    let (_, rest) = raw.strip_prefix('[')?.split_once("] [")?;
    let (module_level, rest) = rest.split_once("] [pid ")?;
    let (pid, rest) = rest.split_once("] [id ")?;
    let (id, rest) = rest.split_once("] [client ")?;
    let (client, message) = rest.split_once("] ")?;
    Some(([module_level, pid, id, client], message))
}

/// All lines of all error logs (`*error.log`) in a folder.
pub(crate) fn read_all(folder: &Path) -> Vec<LogLine> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the log folder is readable")
        .map(|entry| entry.expect("the log folder is readable").path())
        .filter(|path| path.to_string_lossy().ends_with("error.log"))
        .collect();
    files.sort();
    files.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<LogLine> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = fs::read(path).expect("an error log is readable");
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(|raw| LogLine::parse(&name, raw))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "[Sun Nov 22 17:00:00.123456 2026] [wasm:error] [pid 77] [id a+/b] [client ::1:9] WASM0001: x] [y";

    #[test]
    fn a_line_of_httpd_is_taken_apart() {
        let line = LogLine::parse("error.log", LINE);
        assert_eq!(
            (
                line.module.as_str(),
                line.level.as_str(),
                line.pid,
                line.id.as_str()
            ),
            ("wasm", "error", 77, "a+/b")
        );
        assert_eq!(
            (line.client.as_str(), line.message.as_str()),
            ("::1:9", "WASM0001: x] [y")
        );
        assert!(!line.is_normal());
    }

    #[test]
    fn a_line_of_anyone_else_is_never_normal() {
        let line = LogLine::parse(
            "error.log",
            "thread 'x' panicked: AH00489: resuming normal operations",
        );
        assert!(!line.is_regular());
        assert!(!line.is_normal());
    }
}
