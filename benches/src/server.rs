//! Servers that are measured: each in a control group of its own.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::control_group::ControlGroup;
use crate::dirs::{command, project};
use crate::http::Client;

pub(crate) const HTTPD: &str = "/usr/sbin/apache2";

/// A start compiles programs where there is no compiled code.
const START_LIMIT: Duration = Duration::from_secs(600);

const ERROR_LOG: &str = "error.log";

/// How a server is started.
pub(crate) struct Plan<'a> {
    /// The folder that `scripts/stage` laid out.
    pub(crate) stage: &'a Path,
    pub(crate) port: u16,
    /// httpd's program, its options, and what it is run under.
    pub(crate) httpd: Vec<String>,
    /// What `benches/serve` is told besides.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl<'a> Plan<'a> {
    /// httpd as the demo has it.
    pub(crate) fn new(stage: &'a Path, port: u16) -> Self {
        Self {
            stage,
            port,
            httpd: vec![HTTPD.to_owned(), "-DFOREGROUND".to_owned()],
            variables: Vec::new(),
        }
    }
}

/// Stopped when it is dropped.
pub(crate) struct Server {
    httpd: Child,
    /// Servers that httpd asks.
    others: Vec<Child>,
    pub(crate) group: ControlGroup,
    pub(crate) address: SocketAddr,
    /// What the administrator of its WordPress sends, once logged in.
    pub(crate) cookie: Option<String>,
    /// Where its logs are.
    pub(crate) run_folder: PathBuf,
    /// When httpd began.
    pub(crate) begin: Instant,
}

impl Server {
    /// Starts httpd, and does not wait until it answers.
    pub(crate) fn start(plan: Plan<'_>) -> Result<Self> {
        let group = ControlGroup::new(&plan.port.to_string())?;
        let mut serve = command(project("benches/serve"), [plan.stage]);
        serve
            .arg(plan.port.to_string())
            .arg(group.folder())
            .args(plan.httpd)
            .envs(plan.variables);
        let (httpd, begin) = spawn(&mut serve)?;
        Ok(Self {
            httpd,
            others: Vec::new(),
            group,
            address: (Ipv4Addr::LOCALHOST, plan.port).into(),
            cookie: None,
            run_folder: plan.stage.join("run").join(plan.port.to_string()),
            begin,
        })
    }

    /// Starts another server beside httpd, as the same user, in the same control group.
    pub(crate) fn add(&mut self, program: &[String]) -> Result<()> {
        let mut join = command(project("benches/join"), [self.group.folder()]);
        self.others.push(spawn(join.args(program))?.0);
        Ok(())
    }

    /// Waits until this path is answered with 200, and returns when that was.
    pub(crate) fn wait_for(&mut self, path: &str) -> Result<Instant> {
        let mut client = Client::new(self.address);
        loop {
            let answer = client.get(path);
            if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                return Ok(Instant::now());
            }
            if let Some(status) = self.httpd.try_wait()? {
                bail!("httpd ended with {status}; {}", self.log());
            }
            if self.begin.elapsed() > START_LIMIT {
                let cause =
                    answer.map_or_else(|error| error, |answer| anyhow!("status {}", answer.status));
                return Err(cause.context(format!("{path} does not answer; {}", self.log())));
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// The end of the error log, to be read by whoever wonders what went wrong.
    pub(crate) fn log(&self) -> String {
        let log = self.run_folder.join(ERROR_LOG);
        let text = self.whole_log();
        let end: Vec<&str> = text.lines().rev().take(3).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        format!("{} ends with:\n{}", log.display(), end.join("\n"))
    }

    pub(crate) fn whole_log(&self) -> String {
        fs::read_to_string(self.run_folder.join(ERROR_LOG)).unwrap_or_default()
    }

    /// Asks httpd to end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        if let Some(pid) = i32::try_from(self.httpd.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let limit = Instant::now() + Duration::from_secs(10);
        while matches!(self.httpd.try_wait(), Ok(None)) && Instant::now() < limit {
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        // The control group's end is everybody's in it; what remains is to collect them.
        let _ = fs::write(self.group.folder().join("cgroup.kill"), "1");
        for child in self.others.iter_mut().chain([&mut self.httpd]) {
            let _ = child.wait();
        }
    }
}

/// Starts a script that becomes a server, and returns when it did: its standard output is closed then.
fn spawn(script: &mut Command) -> Result<(Child, Instant)> {
    let mut child = script
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", script.get_program().display()))?;
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut Vec::new())?;
    }
    Ok((child, Instant::now()))
}
