//! What is configured and chosen before an httpd is started.

use std::path::PathBuf;

use crate::errorlog;
use crate::paths::{cache_dir, httpd_module_dir, module, program};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::site::{CHILD_USER, Site, as_child_user, child_ids, within_mounts};

/// How httpd serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mpm {
    Event,
    Prefork,
}

/// An httpd that is about to be started.
pub struct Httpd {
    pub(crate) site: Site,
    conf: String,
    modules: Vec<String>,
    mpm: Mpm,
    pub(crate) foreground: bool,
    wasm: bool,
    cache: PathBuf,
    threads: u32,
    unprivileged: bool,
}

impl Httpd {
    pub(crate) fn new(site: Site, conf: String) -> Self {
        Self {
            site,
            conf,
            modules: Vec::new(),
            mpm: Mpm::Event,
            foreground: false,
            wasm: true,
            cache: cache_dir().to_path_buf(),
            threads: 16,
            unprivileged: false,
        }
    }

    /// Loads further modules of httpd by their short names, such as `mime`.
    pub fn modules(mut self, names: &[&str]) -> Self {
        self.modules
            .extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    pub fn mpm(mut self, mpm: Mpm) -> Self {
        self.mpm = mpm;
        self
    }

    /// Runs httpd with `-DFOREGROUND` instead of as a daemon.
    pub fn foreground(mut self) -> Self {
        self.foreground = true;
        self
    }

    /// Uses a compiled-code cache of one's own.
    pub fn cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = dir.into();
        self
    }

    /// Threads of a child (event), or the most children (prefork).
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Leaves mod_wasm out.
    pub fn without_wasm(mut self) -> Self {
        self.wasm = false;
        self
    }

    /// Runs all of httpd within so many bytes of address space.
    pub fn address_space(mut self, bytes: u64) -> Self {
        let prlimit = program("prlimit", "util-linux").display().to_string();
        self.site.runner = vec![prlimit, format!("--as={bytes}")];
        self
    }

    /// Sets variables, each as `NAME=value`, in the environment that httpd is started with.
    pub fn environment(mut self, variables: &[&str]) -> Self {
        let env = program("env", "coreutils").display().to_string();
        let words = variables.iter().map(|variable| (*variable).to_owned());
        self.site.runner = [env].into_iter().chain(words).collect();
        self
    }

    /// Runs all of httpd with at most so many descriptors in each process.
    pub fn open_files(mut self, most: u32) -> Self {
        let prlimit = program("prlimit", "util-linux").display().to_string();
        self.site.runner = vec![prlimit, format!("--nofile={most}")];
        self
    }

    /// Runs commands of a shell that mount file systems, in the site's folder, and all of httpd where these are mounted. Takes root.
    pub fn mounting(mut self, commands: &str) -> Self {
        let folder = self.site.path("");
        self.site.runner = within_mounts(commands, std::iter::once(folder));
        self
    }

    /// Runs all of httpd in the foreground under strace, which writes these system calls and their files to `trace` of the site.
    pub fn traced(mut self, calls: &str) -> Self {
        let strace = program("strace", "strace").display().to_string();
        let words = ["--quiet=all", "--follow-forks", "--decode-fds=path"];
        self.site.runner = [strace]
            .into_iter()
            .chain(words.map(str::to_owned))
            .chain([
                format!("--trace={calls}"),
                format!("--output={}", self.site.path("trace")),
            ])
            .collect();
        self.foreground()
    }

    /// Runs all of httpd as the user of its children, with a copy of the module where that user can read it and a
    /// cache of that user's own.
    pub fn unprivileged(mut self) -> Self {
        for name in [
            "mod_wasm.so",
            "libwasm_runtime.so",
            "wasm-precompile",
            "wasm-run",
        ] {
            self.site
                .executable(&format!("modules/{name}"), &module(name));
        }
        for folder in ["logs", "run", "cache", "scratch"] {
            self.site.writable_dir(folder);
        }
        self.cache = self.site.path("cache").into();
        self.site.runner = as_child_user();
        self.unprivileged = true;
        self
    }

    /// Starts httpd and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Server {
        Server::start(self)
    }

    /// Asserts that httpd refuses this configuration, when it is asked to test it and when it is started.
    #[track_caller]
    pub fn refused(self) -> Refusal {
        Refusal::provoke(self)
    }

    /// Writes `httpd.conf` for this port.
    pub(crate) fn write_conf(&self, port: u16) {
        let site = &self.site;
        let mpm = match self.mpm {
            Mpm::Event => "mpm_event",
            Mpm::Prefork => "mpm_prefork",
        };
        let dir = site.path("");
        let dir = dir.trim_end_matches('/');
        let mut lines = vec![
            format!("ServerRoot {dir}"),
            format!("PidFile {dir}/run/httpd.pid"),
            format!("DefaultRuntimeDir {dir}/run"),
            "ServerName 127.0.0.1".to_owned(),
            format!("Listen 127.0.0.1:{port}"),
        ];
        for name in [mpm, "authz_core"]
            .into_iter()
            .chain(self.modules.iter().map(String::as_str))
        {
            lines.push(format!(
                "LoadModule {name}_module {}/mod_{name}.so",
                httpd_module_dir()
            ));
        }
        if child_ids().is_some() && !self.unprivileged {
            lines.push(format!("User {CHILD_USER}\nGroup {CHILD_USER}"));
        }
        lines.extend([
            format!("ErrorLog {dir}/logs/error.log"),
            format!("ErrorLogFormat \"{}\"", errorlog::FORMAT),
            format!("LogFormat \"%P %L %>s %r\" harness\nCustomLog {dir}/logs/access.log harness"),
            format!("DocumentRoot {dir}/htdocs"),
            "LogLevel warn".to_owned(),
            self.mpm_lines(),
        ]);
        if self.modules.iter().any(|name| name == "mime") {
            lines.push(format!("TypesConfig {dir}/mime.types"));
        }
        if self.modules.iter().any(|name| name == "cgid") {
            lines.push(format!("ScriptSock {dir}/run/cgid.sock"));
        }
        if self.wasm {
            lines.push(format!("LoadModule wasm_module {}", self.module_path()));
            lines.push(format!("WasmCacheDir {}", self.cache.display()));
            lines.push(format!("WasmScratchDir {}", site.path("scratch")));
            lines.push("LogLevel wasm:info".to_owned());
        }
        lines.push(self.conf.clone());
        site.file("httpd.conf", lines.join("\n") + "\n");
    }

    fn module_path(&self) -> String {
        if self.unprivileged {
            return self.site.path("modules/mod_wasm.so");
        }
        module("mod_wasm.so").display().to_string()
    }

    /// One serving child under event, so that a test can tell whether it survived; slots are left for restarts.
    fn mpm_lines(&self) -> String {
        let threads = self.threads;
        match self.mpm {
            Mpm::Event => format!(
                "StartServers 1\nServerLimit 8\nThreadsPerChild {threads}\nThreadLimit {threads}\n\
                 MaxRequestWorkers {threads}\nMinSpareThreads 1\nMaxSpareThreads {}",
                threads * 2
            ),
            Mpm::Prefork => format!(
                "StartServers 2\nMinSpareServers 1\nMaxSpareServers {threads}\nServerLimit {threads}\n\
                 MaxRequestWorkers {threads}"
            ),
        }
    }
}
