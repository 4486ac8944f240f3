//! Which PHP is tested.

use std::path::PathBuf;
use std::process::Command;

use crate::paths::{cache_dir, module, native_php, own_php, root};
use crate::process::printed;

/// What `run-tests.php` calls in the place of `php` and `php-cgi`.
pub(super) struct Php {
    pub(super) cli: PathBuf,
    pub(super) cgi: PathBuf,
    pub(super) environment: Vec<(&'static str, String)>,
}

impl Php {
    /// Ours: `wasm-run` for commands, `request`, a program of this crate, for the requests of CGI.
    pub(super) fn ours(folder: &str, request: &str) -> Php {
        let script = root().join("tests/phpt/php");
        Php {
            cli: script.clone(),
            cgi: script,
            environment: vec![
                ("PHPT_RUN", wasm_run(folder).join("\n")),
                ("PHPT_MODULE", own_php()),
                ("PHPT_FOLDER", folder.to_owned()),
                ("PHPT_REQUEST", request.to_owned()),
            ],
        }
    }

    /// The native one of `scripts/php-native`.
    pub(super) fn native() -> Php {
        Php {
            cli: native_php("bin/php"),
            cgi: native_php("bin/php-cgi"),
            environment: Vec::new(),
        }
    }
}

/// `wasm-run` and its options, for tests that lie in a folder.
fn wasm_run(folder: &str) -> Vec<String> {
    let cache = cache_dir().display();
    let options = format!(
        "--cache-dir {cache} --mount {folder}={folder} --tmp-dir /tmp --allow-symlinks --memory 1G --timeout 60"
    );
    let program = module("wasm-run").display().to_string();
    let options = options.split(' ').map(str::to_owned);
    [program].into_iter().chain(options).collect()
}

/// The version of our PHP, whose source has the tests.
pub(super) fn version() -> String {
    let run = wasm_run("/tmp");
    let mut php = Command::new(&run[0]);
    php.args(&run[1..]).arg(own_php());
    printed(php.args(["-r", "echo PHP_VERSION;"]))
}
