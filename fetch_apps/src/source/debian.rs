//! `debian`: a file of the distribution's pool, from the mirrors that apt knows, and by apt's own ways: its proxies,
//! its logins, its lists of mirrors. Whatever comes is checked here like anything else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::{Kind, tool};
use crate::error::{self, Error, Result};
use crate::fetcher::{Fetcher, Wanted};
use crate::http::shown;
use crate::manifest::Manifest;

/// How often the progress of a download is looked at.
const GLANCE: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debian {
    /// The path below a mirror.
    pool: String,
}

impl Kind for Debian {
    fn check(&self, _manifest: &Manifest) -> Result<(), String> {
        let plain = |char: char| char.is_ascii_alphanumeric() || "+-._~/".contains(char);
        let below = self.pool.strip_prefix("pool/").unwrap_or_default();
        match below
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
            && below.chars().all(plain)
        {
            true => Ok(()),
            false => Err(format!("'{}' is not a path below 'pool/'", self.pool)),
        }
    }

    fn describe(&self, _manifest: &Manifest) -> String {
        format!("the distribution's {}", self.pool)
    }

    /// Mirrors of one pool have the same files; those of other repositories do not have it.
    fn deliver(&self, wanted: &Wanted<'_>, fetcher: &Fetcher<'_>) -> Result<PathBuf> {
        let mut failures = Vec::new();
        for mirror in mirrors().map_err(Error::new)? {
            match self.fetch_from(&mirror, wanted, fetcher) {
                Err(error) if error.kind() != error::Kind::Files => {
                    failures.push(error.to_string())
                }
                result => return result,
            }
        }
        Err(Error::new(failures.join("; ")))
    }
}

impl Debian {
    fn fetch_from(
        &self,
        mirror: &str,
        wanted: &Wanted<'_>,
        fetcher: &Fetcher<'_>,
    ) -> Result<PathBuf> {
        let address = format!("{mirror}/{}", self.pool);
        let url =
            Url::parse(&address).map_err(|error| Error::new(format!("{address}: {error}")))?;
        let target = Target(fetcher.cache.path(wanted.sha256).with_extension("apt"));
        target.remove();
        let program = helper().map_err(Error::new)?;
        let seconds = fetcher.http.timeout().as_secs();
        let child = Command::new(&program)
            // Without this, apt as root warns where its unprivileged user may not write.
            .args(["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=1"])
            .args(["http", "https"].map(|scheme| format!("-oAcquire::{scheme}::Timeout={seconds}")))
            .args(["download-file", &address])
            .arg(&target.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error::new(format!("cannot run {}: {error}", program.display())))?;
        let shown = shown(&url);
        let meter = fetcher.report.meter(
            &format!("{} from {shown}", wanted.name),
            &shown,
            wanted.size,
            0,
        );
        watch(child, &target.0, wanted.most(), |bytes| {
            meter.advance(bytes)
        })
        .map_err(|problem| Error::new(format!("{shown}: {problem}")))?;
        drop(meter);
        fetcher.take(wanted, &target.0, &shown)
    }
}

/// The file that apt writes to, which goes when this does.
struct Target(PathBuf);

impl Target {
    fn remove(&self) {
        // Where it cannot be removed, apt cannot write it either, and says so.
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Waits for the program, telling meanwhile how the file grows; ends it when the file gets larger than `most` bytes.
fn watch(mut child: Child, file: &Path, most: u64, advance: impl Fn(u64)) -> Result<(), String> {
    let mut seen = 0;
    while child
        .try_wait()
        .map_err(|error| error.to_string())?
        .is_none()
    {
        thread::sleep(GLANCE);
        let size = fs::metadata(file).map_or(0, |found| found.len());
        advance(size.saturating_sub(seen));
        seen = size;
        if size > most {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "larger than the {most} bytes that are allowed for it"
            ));
        }
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(first_error(&String::from_utf8_lossy(&output.stderr))),
    }
}

/// apt's errors are lines that begin with `E:`; the first is the cause. The address in it is left out: it stands before
/// the message already, without the password that it may hold.
fn first_error(text: &str) -> String {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("E: "));
    let line = lines.next().unwrap_or("apt could not fetch it");
    let cause = line
        .strip_prefix("Failed to fetch ")
        .and_then(|rest| rest.split_once(' '));
    let words = cause.map_or(line, |(_, cause)| cause).split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// The roots of the configured repositories. Only `update` tells them where no list has been downloaded yet, and with
/// this option it asks no server.
fn mirrors() -> Result<Vec<String>, String> {
    let unknown = |reason| format!("no mirror of the distribution is known: {reason}");
    let text = tool::ask(&["apt-get", "update", "--print-uris"], &[]).map_err(unknown)?;
    let mirrors = roots(&text);
    match mirrors.is_empty() {
        true => Err(unknown("apt has no repository in its configuration".into())),
        false => Ok(mirrors),
    }
}

/// What stands before `/dists/` in the addresses, which are in quotes, each once.
fn roots(text: &str) -> Vec<String> {
    let mut roots = Vec::new();
    let addresses = text
        .lines()
        .filter_map(|line| line.strip_prefix('\'')?.split('\'').next());
    for root in addresses.filter_map(|address| Some(address.split_once("/dists/")?.0.to_string())) {
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// apt's program for scripts that download; it lies beside apt's methods.
fn helper() -> Result<PathBuf, String> {
    let text = tool::ask(
        &["apt-config", "shell", "METHODS", "Dir::Bin::methods/f"],
        &[],
    )?;
    let methods = text
        .trim()
        .strip_prefix("METHODS='")
        .and_then(|rest| rest.strip_suffix('\''));
    let methods = methods.ok_or("'apt-config' does not name the folder of apt's methods")?;
    Ok(Path::new(methods).with_file_name("apt-helper"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_are_told_from_the_addresses() {
        let text = "'https://me:pw@a.example/d/dists/s/InRelease' a_d_dists_s_InRelease 0 \n\
                    'mirror+file:/etc/m.list/dists/s/InRelease' m 0 \n\
                    'https://me:pw@a.example/d/dists/s/main/binary-all/Packages.xz' b 0 \n\
                    'https://flat.example/./InRelease' c 0 \nW: a warning\n";
        assert_eq!(
            roots(text),
            ["https://me:pw@a.example/d", "mirror+file:/etc/m.list"]
        );
    }

    #[test]
    fn apts_error_is_one_line() {
        let text =
            "W: x\nE: Failed to fetch u  404  Not Found [IP: 127.0.0.1 1]\nE: Download Failed\n";
        assert_eq!(first_error(text), "404 Not Found [IP: 127.0.0.1 1]");
        assert_eq!(first_error(""), "apt could not fetch it");
    }
}
