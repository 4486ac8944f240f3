//! A running httpd.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::errorlog::{self, LogLine};
use crate::exchange::Exchange;
use crate::httpd::Httpd;
use crate::launch::{START_LIMIT, free_port, launch, run_as_httpd, run_httpd};
use crate::process::{alive, children, has_connections, signal, wait_child, wait_until};
use crate::request::Request;
use crate::response::Response;
use crate::site::Site;

const STOP_LIMIT: Duration = Duration::from_secs(30);

/// An httpd that serves; dropping it stops it and judges its error logs.
pub struct Server {
    site: Site,
    address: SocketAddr,
    pid: u32,
    /// The process itself where it runs in the foreground.
    child: Option<Mutex<Child>>,
    allowed: Mutex<Vec<String>>,
}

impl Server {
    #[track_caller]
    pub(crate) fn start(httpd: Httpd) -> Self {
        // Between the choice of a free port and httpd's own bind another process may take it: then once more.
        for _ in 0..5 {
            let port = free_port();
            httpd.write_conf(port);
            match launch(&httpd) {
                Ok(child) => return Self::wait_ready(httpd.site, port, child),
                Err(output) if output.contains("AH00072") => continue,
                Err(output) => panic!("httpd did not start:\n{output}"),
            }
        }
        panic!("no free port could be had in five attempts");
    }

    fn wait_ready(site: Site, port: u16, child: Option<Child>) -> Self {
        let mut server = Self {
            site,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            pid: 0,
            child: child.map(Mutex::new),
            allowed: Mutex::default(),
        };
        let pid_file = server.path("run/httpd.pid");
        wait_until("httpd writes its pid", START_LIMIT, || {
            server.pid = fs::read_to_string(&pid_file)
                .ok()
                .and_then(|pid| pid.trim().parse().ok())
                .unwrap_or(0);
            server.assert_foreground_lives();
            server.pid != 0
        });
        wait_until("httpd is ready", START_LIMIT, || {
            assert!(
                alive(server.pid),
                "httpd died during its start:\n{}",
                server.raw_log()
            );
            server.times_ready() == 1 && !server.children().is_empty()
        });
        server
    }

    fn assert_foreground_lives(&self) {
        let Some(child) = &self.child else { return };
        if let Some(status) = lock(child).try_wait().expect("a child can be waited for") {
            panic!(
                "httpd ended with {status}:\n{}{}",
                self.start_output(),
                self.raw_log()
            );
        }
    }

    fn start_output(&self) -> String {
        fs::read_to_string(self.path("start.out")).unwrap_or_default()
    }

    /// Absolute path of something in the site's folder.
    pub fn path(&self, relative: &str) -> String {
        self.site.path(relative)
    }

    /// The folder that the server was started from.
    pub fn site(&self) -> &Site {
        &self.site
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process id of the parent.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Process ids of the parent's children, mod_cgid's daemon among them.
    pub fn children(&self) -> Vec<u32> {
        children(self.pid)
    }

    /// The one serving child.
    #[track_caller]
    pub fn child(&self) -> u32 {
        match self.children()[..] {
            [pid] => pid,
            ref others => panic!("expected one child, found {others:?}"),
        }
    }

    /// Kills one of the children, waits until it has gone, and allows the line that tells of it.
    #[track_caller]
    pub fn kill_child(&self, child: u32) {
        assert!(self.children().contains(&child), "{child} is no child");
        self.allow_log("exit signal Killed (9)");
        signal(child, Signal::KILL);
        wait_until("the child is gone", STOP_LIMIT, || !alive(child));
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address, method, target)
    }

    /// A bare connection over which nothing has been sent yet.
    pub fn connect(&self) -> Exchange {
        Exchange::connect(self.address, "GET")
    }

    pub fn get(&self, target: &str) -> Response {
        self.request("GET", target).send()
    }

    /// Replaces what the test added to the configuration; it takes effect with the next restart.
    pub fn replace_in_conf(&self, old: &str, new: &str) {
        let conf = fs::read_to_string(self.path("httpd.conf")).expect("httpd.conf is readable");
        assert!(conf.contains(old), "httpd.conf has no {old:?}");
        self.site.file("httpd.conf", conf.replace(old, new));
    }

    /// A command of the server's own binary, such as `-t` or `-k graceful`; returns whether it succeeded, and output.
    pub fn httpd(&self, arguments: &[&str]) -> (bool, String) {
        run_httpd(&self.site, arguments, "command.out")
    }

    /// A program of the site, run by the user whom httpd is run by.
    pub fn command(&self, relative: &str) -> Command {
        run_as_httpd(&self.site, self.path(relative).as_ref())
    }

    /// Restarts as `apachectl graceful` does: test the configuration first, then signal.
    #[track_caller]
    pub fn graceful(&self) {
        let (ok, output) = self.httpd(&["-t"]);
        assert!(ok, "the configuration was refused:\n{output}");
        self.after_restart(|| {
            let (ok, output) = self.httpd(&["-k", "graceful"]);
            assert!(ok, "-k graceful failed:\n{output}");
        });
    }

    /// Restarts at once, without waiting for running requests.
    pub fn restart(&self) {
        self.settle();
        self.after_restart(|| self.signal(Signal::HUP));
    }

    /// Asks the parent to stop as soon as running requests are done.
    pub fn stop_gracefully(&self) {
        self.signal(Signal::WINCH);
    }

    /// Restarts by nothing but SIGUSR1.
    pub fn graceful_by_signal(&self) {
        self.after_restart(|| self.signal(Signal::USR1));
    }

    fn after_restart(&self, ask: impl FnOnce()) {
        let times = self.times_ready();
        ask();
        wait_until("the restart is done", START_LIMIT, || {
            assert!(
                alive(self.pid),
                "httpd died during its restart:\n{}",
                self.raw_log()
            );
            self.times_ready() == times + 1
        });
    }

    fn signal(&self, which: Signal) {
        signal(self.pid, which);
    }

    /// Asks the parent to stop at once.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until the parent has gone, and tells whether it did so in time.
    pub fn gone_within(&self, limit: Duration) -> bool {
        if let Some(child) = &self.child {
            return wait_child(&mut lock(child), limit).is_some();
        }
        let start = Instant::now();
        while alive(self.pid) && start.elapsed() < limit {
            sleep(Duration::from_millis(10));
        }
        !alive(self.pid)
    }

    /// How many times this httpd became ready: once, and once more for each restart.
    fn times_ready(&self) -> usize {
        self.log()
            .iter()
            .filter(|line| {
                errorlog::READY
                    .iter()
                    .any(|ready| line.message.starts_with(ready))
            })
            .count()
    }

    /// All lines of all error logs so far.
    pub fn log(&self) -> Vec<LogLine> {
        errorlog::read_all(&PathBuf::from(self.path("logs")))
    }

    fn raw_log(&self) -> String {
        self.log()
            .iter()
            .map(|line| format!("{}: {}\n", line.file, line.raw))
            .collect()
    }

    /// Lines of all error logs that contain `text`.
    pub fn log_with(&self, text: &str) -> Vec<LogLine> {
        self.log()
            .into_iter()
            .filter(|line| line.raw.contains(text))
            .collect()
    }

    /// Waits for an error-log line with `text` in it, allows all such lines, and returns those there are.
    #[track_caller]
    pub fn expect_log(&self, text: &str) -> Vec<LogLine> {
        self.wait_for_log(text, 1)
    }

    /// Waits for `count` error-log lines with `text` in them, allows them, and asserts that there are no more. An
    /// answer may be there before the last line: a line is written when the run has ended.
    #[track_caller]
    pub fn expect_logs(&self, text: &str, count: usize) -> Vec<LogLine> {
        let lines = self.wait_for_log(text, count);
        assert_eq!(lines.len(), count, "lines with {text:?}: {lines:?}");
        lines
    }

    #[track_caller]
    fn wait_for_log(&self, text: &str, count: usize) -> Vec<LogLine> {
        self.allow_log(text);
        let limit = Duration::from_secs(20);
        let start = Instant::now();
        loop {
            let lines = self.log_with(text);
            if lines.len() >= count {
                return lines;
            }
            assert!(
                start.elapsed() < limit,
                "{} of {count} lines with {text:?} are in the error logs:\n{}",
                lines.len(),
                self.raw_log()
            );
            sleep(Duration::from_millis(10));
        }
    }

    /// Allows error-log lines with `text` in them without asking for one.
    pub fn allow_log(&self, text: &str) {
        lock(&self.allowed).push(text.to_owned());
    }

    /// The access log: process id, log id, status and request line of each request.
    pub fn access_log(&self) -> Vec<String> {
        let log =
            fs::read_to_string(self.path("logs/access.log")).expect("the access log is readable");
        log.lines().map(str::to_owned).collect()
    }

    fn unexpected(&self) -> Vec<String> {
        let allowed = lock(&self.allowed);
        let mut lines: Vec<String> = self
            .start_output()
            .lines()
            .filter(|line| !errorlog::is_normal_at_start(line))
            .map(|line| format!("at the start: {line}"))
            .collect();
        lines.extend(
            self.log()
                .into_iter()
                .filter(|line| !line.is_normal())
                .map(|line| format!("{}: {}", line.file, line.raw)),
        );
        lines.retain(|line| !allowed.iter().any(|text| line.contains(text)));
        lines
    }

    /// Ends a process that never got as far as writing its pid.
    fn abandon(&self) {
        let Some(child) = &self.child else { return };
        let mut child = lock(child);
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Gives httpd the time to close what clients have closed. A child under event that is told to stop meanwhile may
    /// die of a race of its own, with static files too.
    fn settle(&self) {
        let start = Instant::now();
        while has_connections(self.address.port()) && start.elapsed() < Duration::from_secs(3) {
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(20));
    }

    /// Stops the server; says what went wrong with that.
    fn stop(&self) -> Option<String> {
        let offspring = self.children();
        self.signal(Signal::TERM);
        if self.gone_within(STOP_LIMIT) {
            return None;
        }
        for pid in offspring.into_iter().chain([self.pid]) {
            signal(pid, Signal::KILL);
        }
        self.gone_within(STOP_LIMIT);
        Some(format!(
            "httpd (pid {}) did not stop within {STOP_LIMIT:?} of SIGTERM",
            self.pid
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.pid == 0 {
            self.abandon();
            return;
        }
        self.settle();
        let trouble = self.stop();
        if std::thread::panicking() {
            eprintln!(
                "error logs of the failed test:\n{}{}",
                self.start_output(),
                self.raw_log()
            );
            return;
        }
        assert!(trouble.is_none(), "{}", trouble.unwrap_or_default());
        let unexpected = self.unexpected();
        assert!(
            unexpected.is_empty(),
            "unexpected error-log lines:\n{}",
            unexpected.join("\n")
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds this")
}
