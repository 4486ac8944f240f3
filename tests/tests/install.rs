//! `make install`, `make uninstall` and `a2enmod wasm`, in a scratch root.

use std::fs;
use std::path::Path;
use std::process::Command;

use mod_wasm_tests::{Site, endpoint, guest, module, printed, program, root};
use tempfile::TempDir;

/// A folder that stands for the machine's root, with what `make install` put there.
struct Scratch {
    dir: TempDir,
}

impl Scratch {
    fn installed() -> Self {
        module("mod_wasm.so");
        let scratch = Self {
            dir: tempfile::Builder::new()
                .prefix("mod-wasm-root-")
                .tempdir_in("/tmp")
                .expect("/tmp is writable"),
        };
        scratch.make("install");
        scratch
    }

    fn make(&self, target: &str) {
        printed(
            Command::new(program("make", "make"))
                .args(["--no-print-directory", "-C"])
                .arg(root())
                .arg(target)
                .env("DESTDIR", self.dir.path())
                .env("PREFIX", "/opt/local"),
        );
    }

    fn path(&self, absolute: &str) -> String {
        format!("{}{absolute}", self.dir.path().display())
    }

    fn modules(&self) -> String {
        self.path(&apxs("LIBEXECDIR"))
    }

    fn configuration(&self) -> String {
        self.path(&apxs("SYSCONFDIR"))
    }

    /// Runs `a2enmod` or `a2dismod` on the scratch configuration.
    fn a2(&self, tool: &str) {
        fs::write(format!("{}/envvars", self.configuration()), "")
            .expect("the scratch root is writable");
        fs::create_dir_all(format!("{}/mods-enabled", self.configuration()))
            .expect("the scratch root is writable");
        printed(
            Command::new(program(tool, "apache2"))
                .args(["--quiet", "wasm"])
                .env("APACHE_CONFDIR", self.configuration())
                .env("APACHE_STATE_DIRECTORY", self.path("/state")),
        );
    }

    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.dir.path(), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the scratch root is readable") {
        let entry = entry.expect("the scratch root is readable");
        if entry
            .file_type()
            .expect("the scratch root is readable")
            .is_dir()
        {
            collect(&entry.path(), found);
        } else {
            found.push(entry.path().display().to_string());
        }
    }
}

fn apxs(variable: &str) -> String {
    let output = Command::new(program("apxs", "apache2-dev"))
        .args(["-q", variable])
        .output()
        .expect("apxs runs");
    String::from_utf8(output.stdout)
        .expect("apxs prints text")
        .trim()
        .to_owned()
}

#[test]
fn installing_puts_everything_in_its_place() {
    let scratch = Scratch::installed();
    for file in [
        "mod_wasm.so",
        "libwasm_runtime.so",
        "wasm-precompile",
        "wasm-run",
    ] {
        let installed = fs::read(format!("{}/{file}", scratch.modules()))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(
            installed == fs::read(module(file)).expect("the build is readable"),
            "{file} differs from the build"
        );
    }
    assert!(
        fs::exists(scratch.path("/opt/local/include/wasm_runtime.h"))
            .expect("the scratch root is readable")
    );
    assert!(
        fs::exists(scratch.path("/var/cache/apache2/mod_wasm"))
            .expect("the scratch root is readable")
    );
    for (folder, name) in [("sbin", "wasm-precompile"), ("bin", "wasm-run")] {
        let link = fs::read_link(scratch.path(&format!("/opt/local/{folder}/{name}")))
            .expect("it is on the PATH");
        assert_eq!(
            link.display().to_string(),
            format!("{}/{name}", apxs("LIBEXECDIR"))
        );
    }
}

#[test]
fn the_installed_module_is_enabled_by_a2enmod_and_serves() {
    let scratch = Scratch::installed();
    scratch.a2("a2enmod");
    let enabled = |name: &str| {
        fs::read_to_string(format!("{}/mods-enabled/{name}", scratch.configuration()))
            .expect("a2enmod linked it")
    };
    // The paths inside are those of the real root, where this test must not write.
    let load = enabled("wasm.load").replace(&apxs("LIBEXECDIR"), &scratch.modules());
    assert!(load.contains("LoadModule wasm_module "), "{load}");
    let site = Site::new();
    let cache = site.private_cache();
    let conf = format!(
        "{load}\n{}\nWasmCacheDir {cache}\n{}",
        enabled("wasm.conf"),
        endpoint("/x", &guest("hello_wasm"), "")
    );
    let server = site.httpd(conf).without_wasm().start();
    assert!(server.get("/x").expect(200).text().starts_with("Hello"));
    // The compiler is found beside the program.
    let mut command = Command::new(format!("{}/wasm-run", scratch.modules()));
    command.args(["--cache-dir", &server.path("another-cache")]);
    assert!(printed(command.arg(guest("hello_wasm"))).starts_with("Hello"));
    drop(server);
    scratch.a2("a2dismod");
    assert!(
        !fs::exists(format!(
            "{}/mods-enabled/wasm.load",
            scratch.configuration()
        ))
        .expect("the scratch root is readable")
    );
}

#[test]
fn installing_again_keeps_an_administrators_settings() {
    let scratch = Scratch::installed();
    let conf = format!("{}/mods-available/wasm.conf", scratch.configuration());
    fs::write(&conf, "WasmTimeout 5\n").expect("the scratch root is writable");
    scratch.make("install");
    assert_eq!(
        fs::read_to_string(&conf).expect("the file is there"),
        "WasmTimeout 5\n"
    );
}

#[test]
fn uninstalling_leaves_nothing_behind() {
    let scratch = Scratch::installed();
    scratch.a2("a2enmod");
    scratch.make("uninstall");
    let ours = |file: &String| {
        Path::new(file)
            .file_name()
            .is_some_and(|name| name.to_string_lossy().contains("wasm"))
    };
    let left: Vec<String> = scratch
        .files()
        .into_iter()
        .filter(ours)
        .filter(|file| !file.contains("/state/"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
