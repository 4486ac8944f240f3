//! The demos as `make demo` shows them: the snippets of `apps/`, with the folders that they are given there.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::httpd::Httpd;
use crate::paths::{fetched, guest, own_php, python, root};
use crate::process::printed;
use crate::site::Site;

/// What the snippets need of httpd.
const MODULES: &[&str] = &["alias", "dir", "headers", "mime", "rewrite"];

/// An httpd with the landing page and these demos, each a folder of `apps/`; `lines` follow the demos' own.
pub fn demos(names: &[&str], lines: &str) -> Httpd {
    demos_between("", names, lines)
}

/// The same, with lines that come before the demos' own too.
pub(crate) fn demos_between(before: &str, names: &[&str], after: &str) -> Httpd {
    let site = Site::new();
    let mut conf = vec![
        before.to_owned(),
        define("MOD_WASM_APPS", &site.path("apps")),
        define("MOD_WASM_RUNTIMES", &site.path("runtimes")),
        define("MOD_WASM_GUESTS", &folder_of(&guest("hello_wasm"))),
        define("MOD_WASM_SITES", &site.path("sites")),
        define("MOD_WASM_DATA", &site.path("data")),
        "<Directory />\nAllowOverride None\nRequire all denied\n</Directory>".to_owned(),
    ];
    copy(&site, &root().join("apps/php"), "apps/php");
    for name in ["landing"].iter().chain(names) {
        let folder = root().join("apps").join(name);
        copy(&site, &folder, &format!("apps/{name}"));
        add_runtimes(&site, &folder.join("httpd.conf"));
        if *name == "wordpress" {
            printed(&mut wordpress_script(&[
                "assemble",
                &site.path("sites/wordpress"),
            ]));
            printed(&mut wordpress_script(&[
                "prepare",
                &site.path("data/wordpress"),
            ]));
        }
        conf.push(format!(
            "Include {}",
            site.path(&format!("apps/{name}/httpd.conf"))
        ));
    }
    conf.push(after.to_owned());
    site.httpd(conf.join("\n")).modules(MODULES)
}

pub(crate) fn define(name: &str, value: &str) -> String {
    format!("Define {name} \"{value}\"")
}

fn folder_of(file: &str) -> String {
    let folder = Path::new(file).parent().expect("a file lies in a folder");
    folder.display().to_string()
}

/// Puts the language runtimes that a snippet names where `scripts/stage` puts them.
fn add_runtimes(site: &Site, snippet: &Path) {
    let text = fs::read_to_string(snippet)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", snippet.display()));
    if text.contains("/php.wasm") {
        let bytes = fs::read(own_php()).expect("a fetched file is readable");
        site.file("runtimes/php.wasm", bytes);
    }
    if text.contains("/python-3.11.3.wasm") {
        let bytes = fs::read(python()).expect("a fetched file is readable");
        site.file("runtimes/python-3.11.3.wasm", bytes);
        let library = "python-3.11.3-stdlib/usr";
        copy(site, &fetched(library), &format!("runtimes/{library}"));
    }
    if text.contains("/python-packages\"") {
        copy(
            site,
            &fetched("pygments/pygments"),
            "runtimes/python-packages/pygments",
        );
    }
}

/// `scripts/wordpress`, to be run with these arguments.
pub(crate) fn wordpress_script(arguments: &[&str]) -> Command {
    let mut command = Command::new(root().join("scripts/wordpress"));
    command.args(arguments);
    command
}

/// Copies a tree that httpd's children may read and not change.
fn copy(site: &Site, from: &Path, to: &str) {
    let entries = fs::read_dir(from)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", from.display()));
    for entry in entries {
        let entry = entry.expect("a folder is readable");
        let name = entry.file_name();
        let target = format!(
            "{to}/{}",
            name.to_str().expect("names in the project are UTF-8")
        );
        if entry.path().is_dir() {
            copy(site, &entry.path(), &target);
        } else {
            site.file(
                &target,
                fs::read(entry.path()).expect("a file of the project is readable"),
            );
        }
    }
}
