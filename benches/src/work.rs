//! The work that is measured: the rows of the tables.

use anyhow::{Result, ensure};

use crate::http::Answer;
use crate::peers;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// The demo's httpd with mod_wasm, of each revision.
    Demo,
    /// Chosen by this name in `peers/httpd.conf`.
    Peer(&'static str),
}

pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) how: &'static str,
    pub(crate) by: By,
    pub(crate) path: &'static str,
    /// A right answer contains this.
    expected: &'static str,
    /// Whether a process ends with each request: its page faults are gone with it.
    pub(crate) processes_end: bool,
    /// Requests whose system calls are counted.
    pub(crate) counted: u32,
    /// Whether the administrator of WordPress asks.
    pub(crate) as_admin: bool,
    /// How often each connection asks at least in one measurement.
    pub(crate) least: usize,
}

impl Case {
    pub(crate) const fn new(
        what: &'static str,
        how: &'static str,
        by: By,
        path: &'static str,
    ) -> Self {
        Self {
            what,
            how,
            by,
            path,
            expected: "Hello",
            processes_end: false,
            counted: 400,
            as_admin: false,
            least: 1,
        }
    }

    pub(crate) const fn expecting(mut self, text: &'static str) -> Self {
        self.expected = text;
        self
    }

    const fn counting(mut self, requests: u32) -> Self {
        self.counted = requests;
        self
    }

    pub(crate) const fn a_process_each(mut self) -> Self {
        self.processes_end = true;
        self
    }

    pub(crate) const fn asked_as_admin(mut self) -> Self {
        self.as_admin = true;
        self
    }

    pub(crate) const fn at_least(mut self, requests: usize) -> Self {
        self.least = requests;
        self
    }

    pub(crate) fn label(&self) -> String {
        format!("{}, {}", self.what, self.how)
    }

    pub(crate) fn check(&self, answer: &Answer) -> Result<()> {
        let path = self.path;
        ensure!(answer.status == 200, "{path}: status {}", answer.status);
        ensure!(
            answer.contains(self.expected),
            "{path}: the answer does not contain {:?}: {}",
            self.expected,
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)])
        );
        Ok(())
    }
}

const FPM: By = By::Peer(peers::PHP_FPM);
const MOD_PHP: By = By::Peer(peers::MOD_PHP);
const PHP_CGI: By = By::Peer(peers::PHP_CGI);
const MOD_WSGI: By = By::Peer(peers::MOD_WSGI);

const HELLO: &str = "/php-hello";
const COMPUTE: &str = "/bench/compute";
const WORDPRESS: &str = "/wordpress/";
const PYTHON: &str = "/hello-python";

const PREBUILT: &str = "mod_wasm, prebuilt 8.2.0";

/// What compute.php prints, on whatever it runs.
const COMPUTED: &str = "computed: ";
/// The site's title, which its installer is told.
const TITLE: &str = "WordPress in WebAssembly";

/// The files that one row reads, and the bytes in each.
pub(crate) const FILES: usize = 300;
pub(crate) const FILE_SIZE: usize = 2048;
const FILES_READ: &str = "300 files, 614400 bytes";

const PRIMES: &str = "There are 216816 primes below 3000000.";

/// In the order of the tables.
pub(crate) const CASES: &[Case] = &[
    Case::new("static file", "httpd", By::Demo, "/style.css").expecting("body {"),
    Case::new("hello in C", "mod_cgid, native", By::Demo, "/bench/native").a_process_each(),
    Case::new("hello in C", "mod_wasm", By::Demo, "/bench/hello-c"),
    Case::new("hello in Rust", "mod_wasm", By::Demo, "/hello-wasm"),
    Case::new("300 files in C", "mod_wasm", By::Demo, "/bench/files")
        .expecting(FILES_READ)
        .counting(10),
    Case::new("writing 0.3 MiB", "mod_wasm", By::Demo, "/bench/write-300k"),
    Case::new("writing 5 MiB", "mod_wasm", By::Demo, "/bench/write-5m"),
    Case::new(
        "writing 5 MiB in 64 places",
        "mod_wasm",
        By::Demo,
        "/bench/write-5m-apart",
    ),
    Case::new("writing 20 MiB", "mod_wasm", By::Demo, "/bench/write-20m").counting(100),
    // In the places of the row before.
    Case::new(
        "0.3 MiB after 20 MiB",
        "mod_wasm",
        By::Demo,
        "/bench/write-20m/little",
    ),
    Case::new(
        "primes, started once",
        "mod_wasm",
        By::Demo,
        "/started-once",
    )
    .expecting(PRIMES),
    Case::new(
        "primes, started each time",
        "mod_wasm",
        By::Demo,
        "/started-once/each-time",
    )
    .expecting(PRIMES)
    .counting(50),
    Case::new("PHP hello", "mod_wasm", By::Demo, HELLO).counting(50),
    Case::new("PHP hello", PREBUILT, By::Demo, "/php-hello?prebuilt").counting(50),
    Case::new("PHP hello", "mod_php", MOD_PHP, HELLO),
    Case::new("PHP hello", "php-fpm", FPM, HELLO),
    Case::new("PHP hello", "php-cgi, mod_cgid", PHP_CGI, HELLO)
        .counting(20)
        .a_process_each(),
    Case::new("PHP computing", "mod_wasm", By::Demo, COMPUTE)
        .expecting(COMPUTED)
        .counting(5),
    Case::new(
        "PHP computing",
        PREBUILT,
        By::Demo,
        "/bench/compute?prebuilt",
    )
    .expecting(COMPUTED)
    .counting(5),
    Case::new("PHP computing", "mod_php", MOD_PHP, COMPUTE)
        .expecting(COMPUTED)
        .counting(20),
    Case::new("PHP computing", "php-fpm", FPM, COMPUTE)
        .expecting(COMPUTED)
        .counting(20),
    Case::new("PHP computing", "php-cgi, mod_cgid", PHP_CGI, COMPUTE)
        .expecting(COMPUTED)
        .counting(10)
        .a_process_each(),
    Case::new("WordPress front page", "mod_wasm", By::Demo, WORDPRESS)
        .expecting(TITLE)
        .counting(2),
    Case::new(
        "WordPress front page",
        PREBUILT,
        By::Demo,
        "/wordpress/?prebuilt",
    )
    .expecting(TITLE)
    .counting(2),
    Case::new("WordPress front page", "mod_php", MOD_PHP, WORDPRESS)
        .expecting(TITLE)
        .counting(10),
    Case::new("WordPress front page", "php-fpm", FPM, WORDPRESS)
        .expecting(TITLE)
        .counting(10),
    Case::new(
        "WordPress front page",
        "php-cgi, mod_cgid",
        PHP_CGI,
        WORDPRESS,
    )
    .expecting(TITLE)
    .counting(5)
    .a_process_each(),
    Case::new("Python hello", "mod_wasm", By::Demo, PYTHON).counting(10),
    Case::new("Python hello", "mod_wsgi", MOD_WSGI, PYTHON),
];

/// The rows of a run: those of peers only where they are asked for, and of these only the ones that a text of `only` fits.
pub(crate) fn chosen(peers: bool, only: &[String]) -> Vec<&'static Case> {
    let wanted = |case: &Case| {
        let label = case.label();
        only.is_empty() || only.iter().any(|text| label.contains(text.as_str()))
    };
    CASES
        .iter()
        .filter(|case| (peers || case.by == By::Demo) && wanted(case))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            body: body.into(),
        }
    }

    #[test]
    fn a_wrong_answer_is_an_error() {
        let hello = &CASES[1];
        assert!(hello.check(&answer(200, "Hello, world")).is_ok());
        for wrong in [
            answer(200, "Good bye"),
            answer(500, "Hello"),
            answer(200, ""),
        ] {
            assert!(hello.check(&wrong).is_err());
        }
    }

    #[test]
    fn all_files_are_to_be_read() {
        let expected = format!("{FILES} files, {} bytes", FILES * FILE_SIZE);
        assert_eq!(FILES_READ, expected);
    }

    #[test]
    fn each_row_has_a_name_of_its_own() {
        let mut labels: Vec<String> = CASES.iter().map(Case::label).collect();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), CASES.len());
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let labels = |peers, only: &[&str]| -> Vec<String> {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            chosen(peers, &only).into_iter().map(Case::label).collect()
        };
        let own = CASES.iter().filter(|case| case.by == By::Demo);
        assert_eq!(labels(false, &[]).len(), own.count());
        assert_eq!(labels(true, &[]).len(), CASES.len());
        assert_eq!(
            labels(false, &["Rust", "Python"]),
            ["hello in Rust, mod_wasm", "Python hello, mod_wasm"]
        );
        assert_eq!(labels(true, &["mod_wsgi"]), ["Python hello, mod_wsgi"]);
        assert!(labels(false, &["mod_wsgi"]).is_empty());
    }
}
