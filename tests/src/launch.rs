//! Starts httpd's own program.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::httpd::Httpd;
use crate::paths::program;
use crate::process::run_within;
use crate::site::Site;

/// A cold start compiles its guests; on two busy cores a large one takes a while.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(300);

/// Starts httpd; the process where it stays in the foreground, or what it said when it refused.
pub(crate) fn launch(httpd: &Httpd) -> Result<Option<Child>, String> {
    if !httpd.foreground {
        let (ok, output) = run_httpd(&httpd.site, &["-k", "start"], "start.out");
        return if ok { Ok(None) } else { Err(output) };
    }
    // Stopping, httpd signals its whole process group: without one of its own, that is the test's.
    let child = command(&httpd.site, &["-DFOREGROUND"], "start.out")
        .process_group(0)
        .spawn()
        .expect("apache2 can be started");
    Ok(Some(child))
}

pub(crate) fn run_httpd(site: &Site, arguments: &[&str], output: &str) -> (bool, String) {
    let status = run_within(&mut command(site, arguments, output), START_LIMIT);
    let text = fs::read(site.path(output)).expect("the output is readable");
    (
        status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

const INTERRUPTION: &str = "MOD_WASM_INTERRUPTION";

/// A program, run by the user whom httpd is run by, and within the same limits.
pub(crate) fn run_as_httpd(site: &Site, program: &OsStr) -> Command {
    let mut words = site.runner.iter().map(OsStr::new).chain([program]);
    let mut command = Command::new(words.next().expect("the program is the last word"));
    command.args(words);
    command
}

/// A file takes the output: a daemon that inherited a pipe would keep its reader waiting.
fn command(site: &Site, arguments: &[&str], output: &str) -> Command {
    let file = File::create(site.path(output)).expect("the site's folder is writable");
    let mut command = run_as_httpd(site, program("apache2", "apache2").as_os_str());
    command
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        // How runs are ended: all of this can be tested in either way.
        .envs(std::env::var_os(INTERRUPTION).map(|way| (INTERRUPTION, way)))
        .args(["-d", &site.path(""), "-f", &site.path("httpd.conf")])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a file can be cloned"))
        .stderr(file);
    command
}

/// A port on 127.0.0.1 that is free now. Ports below the ephemeral range: no client socket takes them meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 100).unwrap_or(0) * 97;
    (0..10_000)
        .map(|_| 18_000 + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a port is free")
}
