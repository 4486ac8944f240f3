//! A configuration that httpd must not accept.

use std::fs;
use std::path::Path;

use crate::httpd::Httpd;
use crate::launch::{free_port, run_httpd};

/// What httpd said when it refused, asked to test the configuration and asked to start.
#[derive(Debug)]
pub struct Refusal {
    conf: String,
    /// What `-t` said.
    pub tested: String,
    /// What the attempt to start said.
    pub started: String,
}

impl Refusal {
    #[track_caller]
    pub(crate) fn provoke(httpd: Httpd) -> Self {
        httpd.write_conf(free_port());
        let site = &httpd.site;
        let (accepted, tested) = run_httpd(site, &["-t"], "test.out");
        assert!(!accepted, "`-t` accepted the configuration:\n{tested}");
        let (accepted, started) = run_httpd(site, &["-k", "start"], "start.out");
        assert!(
            !accepted,
            "httpd started with the configuration:\n{started}"
        );
        assert!(
            !Path::new(&site.path("run/httpd.pid")).exists(),
            "httpd failed but left a pid file"
        );
        let conf = fs::read_to_string(site.path("httpd.conf")).expect("httpd.conf is readable");
        Self {
            conf,
            tested,
            started,
        }
    }

    /// Asserts that both said in one place: which directive, in which file and line, and each of `causes`.
    /// `directive` is the beginning of the guilty line.
    #[track_caller]
    pub fn names(&self, directive: &str, causes: &[&str]) -> &Self {
        let line = self.line_of(directive);
        let word = directive.split_whitespace().next().unwrap_or(directive);
        for said in [&self.tested, &self.started] {
            let found = messages(said).iter().any(|message| {
                message.contains(word)
                    && (message.contains(&format!("httpd.conf:{line}"))
                        || message.contains(&format!("line {line} of "))
                            && message.contains("httpd.conf"))
                    && causes.iter().all(|cause| message.contains(cause))
            });
            assert!(
                found,
                "expected one line with {word}, httpd.conf:{line} and {causes:?}; httpd said:\n{said}"
            );
        }
        self
    }

    /// The number of the first line that begins so.
    #[track_caller]
    pub fn line_of(&self, directive: &str) -> usize {
        self.conf
            .lines()
            .position(|line| line.trim_start().starts_with(directive))
            .unwrap_or_else(|| {
                panic!("the configuration has no line that begins with {directive:?}")
            })
            + 1
    }
}

/// The lines that were said. For an error in a directive's handler httpd puts file and line number on a line of its
/// own before the handler's message: these two count as one.
fn messages(said: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        if line.contains("Syntax error on line ") && line.ends_with(':') {
            messages.push(format!("{line} {}", lines.next().unwrap_or_default()));
        } else {
            messages.push(line.to_owned());
        }
    }
    messages
}
