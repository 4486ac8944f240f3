//! What the suite's specifications say, and what that means here: a program outside of CGI mode, whose standard output is the
//! response.

use std::fs;
use std::path::{Path, PathBuf};

use mod_wasm_tests::{LogLine, Response, Site, endpoint};
use serde_json::Value;

/// One program of the suite.
pub(crate) struct Case {
    /// Its language and its own name: `rust/fd_readdir`.
    pub(crate) name: String,
    wasm: PathBuf,
    specification: Value,
}

/// All programs for preview 1, in the order of their names.
pub(crate) fn read(suite: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for language in entries(&suite.join("tests")) {
        let folder = language.join("testsuite/wasm32-wasip1");
        if folder.is_dir() {
            let files = entries(&folder).into_iter();
            let programs = files.filter(|file| file.extension().is_some_and(|end| end == "wasm"));
            cases.extend(programs.map(|wasm| Case::read(&language, wasm)));
        }
    }
    assert!(
        !cases.is_empty(),
        "{} has no tests/*/testsuite/wasm32-wasip1/*.wasm: the branch prod/testsuite-base of wasi-testsuite has",
        suite.display()
    );
    cases
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a folder can be read").path())
        .collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

impl Case {
    fn read(language: &Path, wasm: PathBuf) -> Self {
        let file = wasm.with_extension("json");
        let specification = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display())),
            Err(_) => Value::Null,
        };
        let name = format!("{}/{}", stem(language), stem(&wasm));
        Self {
            name,
            wasm,
            specification,
        }
    }

    pub(crate) fn location(&self) -> String {
        format!("/{}", self.name)
    }

    fn arguments(&self) -> impl Iterator<Item = &str> {
        let list = self.specification["args"].as_array();
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let map = self.specification["env"].as_object();
        let pairs = map.into_iter().flatten();
        pairs.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// Whether httpd's configuration can say what the program is to be given.
    pub(crate) fn configurable(&self) -> Result<(), String> {
        let values = self.variables().map(|(_, value)| value);
        match self
            .arguments()
            .chain(values)
            .find(|text| text.contains('\n'))
        {
            Some(text) => Err(format!("no directive can hold {text:?}")),
            None => Ok(()),
        }
    }

    /// The section that runs it, on a copy of its folder.
    pub(crate) fn endpoint(&self, site: &Site) -> Result<String, String> {
        self.configurable()?;
        let mut lines = "WasmAllowSymlinks On\n".to_owned();
        for argument in self.arguments() {
            lines += &format!("WasmArg {}\n", quoted(argument));
        }
        for (name, value) in self.variables() {
            lines += &format!("WasmEnv {name} {}\n", quoted(value));
        }
        if let Some(root) = self.specification["root"].as_str() {
            let copy = site.writable_copy(&self.name, &self.wasm.with_file_name(root));
            lines += &format!("WasmMapDir / {copy}\n");
        }
        let wasm = quoted(&self.wasm.to_string_lossy());
        Ok(endpoint(&self.location(), &wasm, &lines))
    }

    /// Compares what came of a run with what was expected.
    pub(crate) fn judge(&self, response: &Response, log: &[LogLine]) -> Result<(), String> {
        let expected = self.specification["exit_code"].as_i64().unwrap_or(0);
        if expected != 0 {
            return ended_with(expected, response, log);
        }
        if response.status != 200 {
            return Err(format!("status {}", response.status));
        }
        match self.specification["stdout"].as_str() {
            Some(stdout) if response.text() != stdout => {
                let text = response.text();
                Err(format!("standard output is {text:?}, not {stdout:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// An exit code other than 0 is answered with 500, and told in the log.
fn ended_with(code: i64, response: &Response, log: &[LogLine]) -> Result<(), String> {
    let is_told = |line: &LogLine| {
        line.message.starts_with("WASM0062") && line.message.ends_with(&format!(" {code}"))
    };
    if response.status == 500 && log.iter().any(is_told) {
        return Ok(());
    }
    Err(format!(
        "status {} and no exit code {code}",
        response.status
    ))
}

/// As one word of httpd's configuration.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
