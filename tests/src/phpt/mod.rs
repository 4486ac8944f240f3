//! PHP's own tests, run by PHP's own `run-tests.php`: native PHP drives, and another PHP is what it tests.

mod lists;
mod php;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::paths::{fetched, program};
use crate::process::printed;
use php::Php;

pub use lists::{Listed, compare, listed, passed, written};
pub use table::{Row, table};

/// Folders of the tests of what our PHP is made of, and what they need besides.
const TESTED: &str = "Zend/tests tests/basic tests/classes tests/func tests/lang tests/output tests/security tests/strings \
    ext/bcmath/tests ext/ctype/tests ext/date/tests ext/dom/tests ext/exif/tests ext/fileinfo/tests ext/filter/tests \
    ext/gd/tests ext/hash/tests ext/iconv/tests ext/json/tests ext/libxml/tests ext/mbstring/tests ext/opcache/tests \
    ext/pcre/tests ext/pdo/tests ext/pdo_sqlite/tests ext/phar/tests ext/random/tests ext/reflection/tests \
    ext/session/tests ext/simplexml/tests ext/sodium/tests ext/spl/tests ext/sqlite3/tests ext/standard/tests \
    ext/tokenizer/tests ext/xml/tests ext/xmlreader/tests ext/xmlwriter/tests ext/zlib/tests sapi/cgi/tests";
const SHARED: &str = "run-tests.php sapi/cli/tests ext/dl_test/tests ext/openssl/tests/ServerClientTestCase.inc ext/xsl/tests/xslt.xsl.gz";

/// Options of run-tests.php. The driver may be older, and its E_ALL another one; OPcache is on natively.
const OPTIONS: &str = "-q -n --offline --no-progress --no-color --set-timeout 90 -d error_reporting=30719 -d opcache.enable=1";

/// How often a long run says how far it is.
const REPORTS: Duration = Duration::from_secs(30);

/// How each test ended, as run-tests.php says it: `PASSED`, `SKIPPED`, `FAILED` and others. The key is the file's path in PHP's source.
/// That of a test which is run for several drivers has words before it.
pub type Endings = BTreeMap<String, String>;

/// The test's file: words before it tell what else it is run for.
pub fn file(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

/// A copy of the tests, which write beside themselves.
pub struct Phpt {
    php: Php,
    folder: PathBuf,
    /// Removed with all in it.
    _parent: TempDir,
}

impl Phpt {
    /// For our PHP; `request` is this crate's program phpt-request.
    pub fn ours(request: &str) -> Phpt {
        Phpt::copied(|folder| Php::ours(folder, request))
    }

    /// For native PHP of the same version.
    pub fn native() -> Phpt {
        Phpt::copied(|_| Php::native())
    }

    /// Whoever runs them may write there: children of httpd are another user.
    fn copied(php: impl FnOnce(&str) -> Php) -> Phpt {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("php");
        fs::create_dir(&folder).expect("a folder");
        let source = fetched(&format!("php-{}-source", php::version()));
        let mut copy = Command::new("cp");
        copy.args(["-R", "--parents"])
            .args([TESTED, SHARED].iter().flat_map(|names| names.split(' ')))
            .arg(&folder);
        printed(copy.current_dir(source));
        printed(
            Command::new("chmod")
                .args(["-R", "a+rwX"])
                .arg(parent.path()),
        );
        let php = php(&folder.display().to_string());
        Phpt {
            php,
            folder,
            _parent: parent,
        }
    }

    /// Paths of all tests in PHP's source, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in TESTED.split(' ') {
            self.find(&self.folder.join(folder), &mut names);
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
        path.replace(&format!("{}/", self.folder.display()), "")
    }

    /// Runs these tests, all cores at work, and says from time to time how many are done.
    pub fn run(&self, names: &[String]) -> Endings {
        let folder = &self.folder;
        let paths = names.iter().map(|name| folder.join(name));
        let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        fs::write(folder.join("list"), paths.join("\n")).expect("a list");
        let output = fs::File::create(folder.join("output")).expect("a file");
        let mut driver = self.driver();
        let driver = driver.stdout(output).stderr(Stdio::null()).spawn();
        self.watch(driver.expect("php runs"), names.len());
        let endings = self.endings();
        assert!(
            endings.len() >= names.len(),
            "run-tests.php stopped after {} of {} tests: {}",
            endings.len(),
            names.len(),
            fs::read_to_string(folder.join("output")).unwrap_or_default()
        );
        endings
    }

    fn driver(&self) -> Command {
        let cores = available_parallelism().map_or(1, usize::from);
        let mut driver = Command::new(program("php", "php-cli"));
        driver
            .arg("run-tests.php")
            .args(OPTIONS.split(' '))
            .arg(format!("-j{cores}"))
            .args(["-W", "results", "-r", "list"])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(
                self.php
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("TEST_PHP_EXECUTABLE", &self.php.cli)
            .env("TEST_PHP_CGI_EXECUTABLE", &self.php.cgi);
        driver
    }

    fn watch(&self, mut driver: Child, total: usize) {
        let mut reported = Instant::now();
        while driver.try_wait().expect("a child").is_none() {
            sleep(Duration::from_millis(200));
            if reported.elapsed() > REPORTS {
                reported = Instant::now();
                eprintln!("PHP's own tests: {} of {total}", self.endings().len());
            }
        }
    }

    fn endings(&self) -> Endings {
        let results = fs::read_to_string(self.folder.join("results")).unwrap_or_default();
        let lines = results.lines().filter_map(|line| line.split_once('\t'));
        lines
            .map(|(ending, path)| (self.name(path.trim_start_matches("# ")), ending.to_owned()))
            .collect()
    }

    /// What a failed test printed otherwise than expected: the first lines.
    pub fn difference(&self, name: &str) -> String {
        let path = self.folder.join(name).with_extension("diff");
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().take(12).collect::<Vec<_>>().join("\n")
    }
}
