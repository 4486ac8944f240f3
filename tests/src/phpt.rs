//! PHP's own tests, run by PHP's own `run-tests.php`: native PHP drives, and our php.wasm is what it tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use tempfile::TempDir;

use crate::paths::{cache_dir, fetched, module, own_php, program, root};
use crate::process::printed;

/// Folders of the tests that concern what our PHP is made of.
const FOLDERS: &[&str] = &[
    "Zend/tests",
    "tests/basic",
    "tests/classes",
    "tests/func",
    "tests/lang",
    "tests/output",
    "tests/security",
    "tests/strings",
    "ext/bcmath/tests",
    "ext/ctype/tests",
    "ext/date/tests",
    "ext/dom/tests",
    "ext/exif/tests",
    "ext/fileinfo/tests",
    "ext/filter/tests",
    "ext/gd/tests",
    "ext/hash/tests",
    "ext/iconv/tests",
    "ext/json/tests",
    "ext/libxml/tests",
    "ext/mbstring/tests",
    "ext/opcache/tests",
    "ext/pcre/tests",
    "ext/pdo/tests",
    "ext/pdo_sqlite/tests",
    "ext/phar/tests",
    "ext/random/tests",
    "ext/reflection/tests",
    "ext/session/tests",
    "ext/simplexml/tests",
    "ext/sodium/tests",
    "ext/spl/tests",
    "ext/sqlite3/tests",
    "ext/standard/tests",
    "ext/tokenizer/tests",
    "ext/xml/tests",
    "ext/xmlreader/tests",
    "ext/xmlwriter/tests",
    "ext/zlib/tests",
];

/// What those tests include besides.
const SHARED: &[&str] = &["run-tests.php", "sapi/cli/tests", "sapi/cgi/tests"];

/// A copy of the tests, which write beside themselves.
pub struct Phpt {
    folder: TempDir,
    php: String,
}

/// How each test ended, as run-tests.php says it: `PASSED`, `SKIPPED`, `FAILED` and others. The key is the file's path in PHP's source.
pub type Endings = BTreeMap<String, String>;

impl Phpt {
    pub fn new() -> Phpt {
        let folder = tempfile::tempdir().expect("a folder");
        let mut copy = Command::new("cp");
        copy.args(["-R", "--parents"]).args(FOLDERS).args(SHARED);
        printed(copy.arg(folder.path()).current_dir(source()));
        Phpt {
            folder,
            php: own_php(),
        }
    }

    /// Paths of all tests in PHP's source, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in FOLDERS {
            self.find(&self.folder.path().join(folder), &mut names);
        }
        names.sort();
        names
    }

    fn find(&self, folder: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder of tests") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.find(&path, names);
            } else if path.extension().is_some_and(|end| end == "phpt") {
                names.push(self.name(&path.display().to_string()));
            }
        }
    }

    /// The path in the source. A test of PDO that is run for a driver has that driver's name before it.
    fn name(&self, path: &str) -> String {
        path.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// Runs these tests, all cores at work.
    pub fn run(&self, names: &[String]) -> Endings {
        let folder = self.folder.path().display().to_string();
        let [list, results] = ["list", "results"].map(|file| self.folder.path().join(file));
        fs::write(&list, names.join("\n")).expect("a list");
        let wasm_run = module("wasm-run").display().to_string();
        let mount = format!("{folder}={folder}");
        let cache = cache_dir().display().to_string();
        let run = [
            &wasm_run,
            "--cache-dir",
            &cache,
            "--mount",
            &mount,
            "--tmp-dir",
            "/tmp",
            "--memory",
            "1G",
            "--timeout",
            "60",
        ];
        let php = root().join("tests/phpt/php");
        let cores = available_parallelism().map_or(1, usize::from);
        let output = Command::new(program("php", "php-cli"))
            .args([
                "run-tests.php",
                "-q",
                "-n",
                "--offline",
                "--no-progress",
                "--no-color",
                "--set-timeout",
                "90",
            ])
            .arg(format!("-j{cores}"))
            .arg("-W")
            .arg(&results)
            .arg("-r")
            .arg(&list)
            .current_dir(&folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PHPT_RUN", run.join("\n"))
            .env("PHPT_MODULE", &self.php)
            .env("TEST_PHP_EXECUTABLE", &php)
            .env("TEST_PHP_CGI_EXECUTABLE", &php)
            .output()
            .expect("php runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let results = fs::read_to_string(results).unwrap_or_default();
        assert!(!results.is_empty(), "run-tests.php ran nothing: {said}");
        let lines = results.lines().filter_map(|line| line.split_once('\t'));
        lines
            .map(|(ending, path)| (self.name(path), ending.to_owned()))
            .collect()
    }

    /// What a failed test printed otherwise than expected: the first lines.
    pub fn difference(&self, name: &str) -> String {
        let path = self.folder.path().join(name).with_extension("diff");
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().take(12).collect::<Vec<_>>().join("\n")
    }
}

impl Default for Phpt {
    fn default() -> Phpt {
        Phpt::new()
    }
}

/// PHP's source, of the version that the manifest names.
fn source() -> PathBuf {
    let mut list = Command::new(root().join("scripts/fetch-apps"));
    let artifacts = printed(list.args(["--list", "--json", "php-sources"]));
    let name = artifacts
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|artifact| {
            Some(artifact["artifact"].as_str()?.to_owned()).filter(|name| name.starts_with("php-"))
        });
    fetched(&name.expect("php-sources has PHP's own"))
}
