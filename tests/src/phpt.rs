//! PHP's own tests, run by PHP's own `run-tests.php`: native PHP drives, and our php.wasm is what it tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use tempfile::TempDir;

use crate::paths::{cache_dir, fetched, module, own_php, program, root};
use crate::process::printed;

/// Folders of the tests of what our PHP is made of, and what they need besides.
const TESTED: &str = "Zend/tests tests/basic tests/classes tests/func tests/lang tests/output tests/security tests/strings \
    ext/bcmath/tests ext/ctype/tests ext/date/tests ext/dom/tests ext/exif/tests ext/fileinfo/tests ext/filter/tests \
    ext/gd/tests ext/hash/tests ext/iconv/tests ext/json/tests ext/libxml/tests ext/mbstring/tests ext/opcache/tests \
    ext/pcre/tests ext/pdo/tests ext/pdo_sqlite/tests ext/phar/tests ext/random/tests ext/reflection/tests \
    ext/session/tests ext/simplexml/tests ext/sodium/tests ext/spl/tests ext/sqlite3/tests ext/standard/tests \
    ext/tokenizer/tests ext/xml/tests ext/xmlreader/tests ext/xmlwriter/tests ext/zlib/tests";
const SHARED: &str = "run-tests.php sapi/cli/tests sapi/cgi/tests ext/dl_test/tests";

/// Options of run-tests.php. The driver may be older, and its E_ALL another one; OPcache is on natively.
const OPTIONS: &str = "-q -n --offline --no-progress --no-color --set-timeout 90 -d error_reporting=30719 -d opcache.enable=1";

/// How each test ended, as run-tests.php says it: `PASSED`, `SKIPPED`, `FAILED` and others. The key is the file's path in PHP's source.
/// That of a test which is run for several drivers has words before it.
pub type Endings = BTreeMap<String, String>;

/// A copy of the tests, which write beside themselves.
pub struct Phpt {
    folder: TempDir,
    wasm_run: Vec<String>,
}

impl Phpt {
    #[expect(clippy::new_without_default, reason = "it copies thousands of files")]
    pub fn new() -> Phpt {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, cache] = [folder.path(), cache_dir()].map(|path| path.display().to_string());
        let options = format!(
            "--cache-dir {cache} --mount {path}={path} --tmp-dir /tmp --memory 1G --timeout 60"
        );
        let mut wasm_run = vec![module("wasm-run").display().to_string()];
        wasm_run.extend(options.split(' ').map(str::to_owned));
        let phpt = Phpt { folder, wasm_run };
        let mut copy = Command::new("cp");
        copy.args(["-R", "--parents"])
            .args([TESTED, SHARED].iter().flat_map(|names| names.split(' ')))
            .arg(phpt.folder.path());
        printed(copy.current_dir(phpt.source()));
        phpt
    }

    /// The source of the PHP that is tested.
    fn source(&self) -> PathBuf {
        let mut php = Command::new(&self.wasm_run[0]);
        php.args(&self.wasm_run[1..]).arg(own_php());
        let version = printed(php.args(["-r", "echo PHP_VERSION;"]));
        fetched(&format!("php-{version}-source"))
    }

    /// Paths of all tests in PHP's source, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in TESTED.split(' ') {
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

    fn name(&self, path: &str) -> String {
        path.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// Runs these tests, all cores at work.
    pub fn run(&self, names: &[String]) -> Endings {
        let folder = self.folder.path();
        let [list, results] = ["list", "results"].map(|file| folder.join(file));
        let paths = names.iter().map(|name| folder.join(name));
        let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        fs::write(&list, paths.join("\n")).expect("a list");
        let php = root().join("tests/phpt/php");
        let cores = available_parallelism().map_or(1, usize::from);
        let output = Command::new(program("php", "php-cli"))
            .arg("run-tests.php")
            .args(OPTIONS.split(' '))
            .arg(format!("-j{cores}"))
            .args(["-W".as_ref(), results.as_os_str()])
            .args(["-r".as_ref(), list.as_os_str()])
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PHPT_RUN", self.wasm_run.join("\n"))
            .env("PHPT_MODULE", own_php())
            .env("TEST_PHP_EXECUTABLE", &php)
            .env("TEST_PHP_CGI_EXECUTABLE", &php)
            .output()
            .expect("php runs");
        let lines = fs::read_to_string(results).unwrap_or_default();
        let endings: Endings = lines
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(ending, path)| (self.name(path), ending.to_owned()))
            .collect();
        assert!(
            endings.len() >= names.len(),
            "run-tests.php stopped after {} of {} tests: {}",
            endings.len(),
            names.len(),
            String::from_utf8_lossy(&output.stdout)
        );
        endings
    }

    /// What a failed test printed otherwise than expected: the first lines.
    pub fn difference(&self, name: &str) -> String {
        let path = self.folder.path().join(name).with_extension("diff");
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().take(12).collect::<Vec<_>>().join("\n")
    }
}
