//! Where the things under test lie. What is missing panics with the command that makes it: a check that cannot run
//! has to fail, never to pass in silence.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::printed;

/// The project's root folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests crate lies in the project's root folder")
}

/// The files in a folder of the project, by their paths in it; what git ignores is left out.
pub fn project_files(folder: &Path) -> BTreeSet<String> {
    let mut git = Command::new(program("git", "git"));
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let files = printed(git.current_dir(folder));
    let files = files.lines().filter(|file| folder.join(file).exists());
    files.map(str::to_owned).collect()
}

/// The folder of built things: `MOD_WASM_BUILD_DIR`, or `build/` of the project.
fn build_dir() -> PathBuf {
    std::env::var_os("MOD_WASM_BUILD_DIR").map_or_else(|| root().join("build"), PathBuf::from)
}

fn require(path: PathBuf, remedy: &str) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run `{remedy}` first",
        path.display()
    );
    path
}

/// A file of `build/modules`: `mod_wasm.so`, `libwasm_runtime.so`, `wasm-precompile` or `wasm-run`.
pub fn module(name: &str) -> PathBuf {
    require(build_dir().join("modules").join(name), "make build")
}

/// The Wasm file of the guest called `stem`: assembled here when its source is `tests/guests/<stem>.wat`, else made
/// by `make guests`.
pub fn guest(stem: &str) -> String {
    let source = root().join("tests/guests").join(format!("{stem}.wat"));
    let path = if source.exists() {
        assemble(&source, stem)
    } else {
        require(
            build_dir().join("guests").join(format!("{stem}.wasm")),
            "make guests",
        )
    };
    path.to_str().expect("project paths are UTF-8").to_owned()
}

fn assemble(source: &Path, stem: &str) -> PathBuf {
    let wasm = wat::parse_file(source).unwrap_or_else(|error| panic!("{error}"));
    let folder = root().join("target/test-guests");
    fs::create_dir_all(&folder).expect("target/test-guests can be made");
    let path = folder.join(format!("{stem}.wasm"));
    if fs::read(&path).is_ok_and(|old| old == wasm) {
        return path;
    }
    // Test programs run side by side: nobody may see half a file.
    let mut file =
        tempfile::NamedTempFile::new_in(&folder).expect("target/test-guests can be written");
    file.write_all(&wasm)
        .expect("target/test-guests can be written");
    file.persist(&path)
        .expect("target/test-guests can be written");
    path
}

/// The native build of the C guest called `stem`.
pub fn native(stem: &str) -> PathBuf {
    require(build_dir().join("native").join(stem), "make guests")
}

/// A program of the native PHP that our PHP is compared with, such as `bin/php`.
pub(crate) fn native_php(program: &str) -> PathBuf {
    require(
        build_dir().join("php-native").join(program),
        "scripts/php-native",
    )
}

/// A fetched file or folder below `apps/fetched`; `artifact` is its first component.
pub fn fetched(relative: &str) -> PathBuf {
    let artifact = relative.split('/').next().unwrap_or(relative);
    require(
        root().join("apps/fetched").join(relative),
        &format!("scripts/fetch-apps {artifact}"),
    )
}

/// A program of the distribution, looked up as a shell of root would.
pub fn program(name: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!("{name} is missing: run `scripts/setup` or install the package {package}")
        })
}

/// Directory of httpd's own modules, as apxs tells it.
pub(crate) fn httpd_module_dir() -> &'static str {
    static DIR: OnceLock<String> = OnceLock::new();
    DIR.get_or_init(|| {
        let mut apxs = Command::new(program("apxs", "apache2-dev"));
        printed(apxs.args(["-q", "LIBEXECDIR"])).trim().to_owned()
    })
}

/// The compiled-code cache that all tests share, so that large guests are compiled once.
pub fn cache_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = root().join("target/test-cache");
        make_private_dir(&dir);
        dir
    })
}

/// Makes a directory that only its owner can enter, as the cache demands.
pub(crate) fn make_private_dir(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(dir)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", dir.display()));
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
        .unwrap_or_else(|error| panic!("cannot chmod {}: {error}", dir.display()));
}

/// The PHP that others have built, its compiled code already in [`cache_dir`].
pub fn php_cgi() -> String {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| precompiled(&fetched("php-cgi-8.2.0/php-cgi-8.2.0.wasm")))
        .clone()
}

/// The fetched Python, its compiled code already in [`cache_dir`]. Its standard library is an artifact of its own.
pub fn python() -> String {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| precompiled(&fetched("python-3.11.3/python-3.11.3.wasm")))
        .clone()
}

/// Our PHP, as `runtimes/php` builds it, its compiled code already in [`cache_dir`].
pub fn own_php() -> String {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| precompiled(&fetched("php/php.wasm")))
        .clone()
}

/// Compiles a large module ahead of time: servers that start side by side would otherwise all compile it.
fn precompiled(wasm: &Path) -> String {
    printed(Command::new(module("wasm-precompile")).args([
        OsStr::new("--cache-dir"),
        cache_dir().as_os_str(),
        wasm.as_os_str(),
    ]));
    wasm.to_str().expect("project paths are UTF-8").to_owned()
}
