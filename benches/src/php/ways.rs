//! The ways in which httpd runs PHP, the pages that they are asked for, and which of both go together.

use crate::peers::{FROM_SOURCE, MOD_PHP, PHP_CGI, PHP_FPM};
use crate::work::{By, Case};

/// A way: an httpd of its own.
pub(super) struct Way {
    pub(super) name: &'static str,
    /// What chooses it in `peers/httpd.conf`.
    pub(super) defines: &'static [&'static str],
}

impl Way {
    /// Whether PHP runs in WebAssembly.
    pub(super) fn is_ours(&self) -> bool {
        self.defines.contains(&MOD_WASM)
    }

    /// Whether this is said to the server at its start.
    pub(super) fn has(&self, define: &str) -> bool {
        self.defines.contains(&define)
    }
}

const MOD_WASM: &str = "mod_wasm";
/// Starts at once: WordPress is installed by this one.
pub(super) const INSTALLER: &[&str] = &[MOD_WASM, "without-snapshot"];
const WORKER_ONLY: &str = "worker";

pub(super) const PREBUILT: &str = "mod_wasm, prebuilt 8.2.0";
pub(super) const WARM: &str = "mod_wasm, warm";
pub(super) const IMAGE: &str = "mod_wasm, warm, scripts never change";
pub(super) const WORKER: &str = "mod_wasm, worker";
pub(super) const MOD_PHP_OF_DEBIAN: &str = "Debian's 8.2, mod_php";
pub(super) const MOD_PHP_FROM_SOURCE: &str = "8.4.24, mod_php";

/// In the order of the tables.
pub(super) const WAYS: &[Way] = &[
    way(PREBUILT, &[MOD_WASM, "prebuilt"]),
    way("mod_wasm, without a snapshot", INSTALLER),
    way("mod_wasm, with a snapshot", &[MOD_WASM]),
    way(WARM, &[MOD_WASM, "warm"]),
    way(IMAGE, &[MOD_WASM, "warm", "image"]),
    way(WORKER, &[MOD_WASM, WORKER_ONLY]),
    way("Debian's 8.2, php-cgi, mod_cgid", &[PHP_CGI]),
    way("Debian's 8.2, php-fpm", &[PHP_FPM]),
    way(MOD_PHP_OF_DEBIAN, &[MOD_PHP]),
    way("8.4.24, php-cgi, mod_cgid", &[PHP_CGI, FROM_SOURCE]),
    way("8.4.24, php-fpm", &[PHP_FPM, FROM_SOURCE]),
    way(MOD_PHP_FROM_SOURCE, &[MOD_PHP, FROM_SOURCE]),
];

const fn way(name: &'static str, defines: &'static [&'static str]) -> Way {
    Way { name, defines }
}

pub(super) const HELLO: &str = "hello";
pub(super) const BENCH: &str = "bench.php";
pub(super) const SYMFONY: &str = "Symfony page";
pub(super) const FRONT: &str = "WordPress front page";
const ADMIN: &str = "wp-admin";

/// In the order of the tables.
pub(super) const PAGES: &[&str] = &[HELLO, "phpinfo", BENCH, SYMFONY, FRONT, ADMIN];

/// The work of a page; what it is asked of is said by who has it.
const fn page(what: &'static str, how: &'static str, path: &'static str) -> Case {
    Case::new(what, how, By::Peer(how), path)
}

/// What this way is asked for.
fn pages(way: &Way) -> Vec<Case> {
    let how = way.name;
    if way.has(WORKER_ONLY) {
        return vec![page(SYMFONY, how, "/bench/symfony/worker/").expecting(ROWS)];
    }
    if way.has("image") {
        return vec![front(how), admin(how)];
    }
    vec![
        page(HELLO, how, HELLO_PATH),
        // The end of the page.
        page("phpinfo", how, "/bench/php/phpinfo.php").expecting("PHP License"),
        // A request takes from a third of a second to three.
        page(BENCH, how, "/bench/php/bench.php")
            .expecting("Total")
            .at_least(2),
        page(SYMFONY, how, "/bench/symfony/classic/").expecting(ROWS),
        front(how),
        admin(how),
    ]
}

/// Each server has it.
pub(super) const HELLO_PATH: &str = "/bench/php/hello.php";

const ROWS: &str = "50 rows at /";

const fn front(how: &'static str) -> Case {
    page(FRONT, how, "/wordpress/").expecting("WordPress in WebAssembly")
}

/// The dashboard says so, and no other page.
const fn admin(how: &'static str) -> Case {
    page(ADMIN, how, "/wordpress/wp-admin/")
        .expecting("At a Glance")
        .asked_as_admin()
}

/// The pages of all ways, page by page, each with the number of its way; only those whose name contains a text of `only`.
pub(super) fn chosen(only: &[String]) -> Vec<(usize, Case)> {
    let mut cases: Vec<(usize, Case)> = WAYS
        .iter()
        .enumerate()
        .flat_map(|(number, way)| pages(way).into_iter().map(move |case| (number, case)))
        .filter(|(_, case)| {
            let label = case.label();
            only.is_empty() || only.iter().any(|text| label.contains(text.as_str()))
        })
        .collect();
    cases.sort_by_key(|(_, case)| PAGES.iter().position(|&page| page == case.what));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_are_asked_for_each_page_but_the_worker_and_the_settings_of_the_image() {
        let cases = chosen(&[]);
        assert_eq!(cases.len(), (WAYS.len() - 2) * PAGES.len() + 1 + 2);
        assert_eq!(cases[0].1.label(), "hello, mod_wasm, prebuilt 8.2.0");
        let order: Vec<_> = cases
            .iter()
            .map(|(_, case)| PAGES.iter().position(|&page| page == case.what).unwrap())
            .collect();
        assert!(order.is_sorted());
    }

    #[test]
    fn pages_are_chosen_by_name() {
        let labels: Vec<String> =
            chosen(&["worker".to_owned(), "bench.php, 8.4.24, mod".to_owned()])
                .iter()
                .map(|(_, case)| case.label())
                .collect();
        assert_eq!(
            labels,
            [
                "bench.php, 8.4.24, mod_php",
                "Symfony page, mod_wasm, worker"
            ]
        );
    }
}
