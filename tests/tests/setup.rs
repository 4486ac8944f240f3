//! `scripts/setup` on a machine of which only the list of packages is ours, and `scripts/setup-rust` on one without Rust, against
//! an installer of ours on 127.0.0.1.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use mod_wasm_tests::{printed, program, root};
use tempfile::TempDir;

fn scratch() -> TempDir {
    tempfile::Builder::new()
        .prefix("mod-wasm-setup-")
        .tempdir_in("/tmp")
        .expect("/tmp is writable")
}

/// What the scripts may use, none of it a Rust toolchain.
const TOOLS: &[(&str, &str)] = &[
    ("bash", "bash"),
    ("sed", "sed"),
    ("grep", "grep"),
    ("sort", "coreutils"),
    ("head", "coreutils"),
    ("cut", "coreutils"),
    ("tr", "coreutils"),
    ("curl", "curl"),
    ("sha256sum", "coreutils"),
    ("uname", "coreutils"),
    ("mktemp", "coreutils"),
    ("rm", "coreutils"),
    ("chmod", "coreutils"),
    ("dirname", "coreutils"),
    ("mkdir", "coreutils"),
    ("cat", "coreutils"),
    ("env", "coreutils"),
];

/// An installer in the shape of rustup's: it puts a toolchain into `CARGO_HOME`, or what goes for one here.
const INSTALLER: &str = "#!/bin/bash
set -eu
echo \"$*\" >\"$CARGO_HOME/arguments\"
mkdir -p \"$CARGO_HOME/bin\"
for tool in cargo rustc; do
    printf '#!/bin/bash\\necho \"%s VERSION (fake)\"\\n' \"$tool\" >\"$CARGO_HOME/bin/$tool\"
    chmod +x \"$CARGO_HOME/bin/$tool\"
done
";

fn required_rust() -> String {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is readable");
    let value = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .expect("Cargo.toml names the version");
    value.trim_end_matches('"').to_owned()
}

fn sha256(path: &Path) -> String {
    let output = Command::new(program("sha256sum", "coreutils"))
        .arg(path)
        .output()
        .expect("sha256sum runs");
    String::from_utf8_lossy(&output.stdout)
        .split(' ')
        .next()
        .expect("a sum comes first")
        .to_owned()
}

/// Answers each request with this file until the test ends; returns the address.
fn publish(content: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client connects");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n")
                && stream.read(&mut byte).is_ok_and(|count| count == 1)
            {
                head.push(byte[0]);
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            let _ = stream
                .write_all(answer.as_bytes())
                .and_then(|()| stream.write_all(&content));
        }
    });
    address
}

/// A folder for `PATH`.
fn bin_with_tools(dir: &Path) -> PathBuf {
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).expect("the folder is ours");
    for (tool, package) in TOOLS {
        let link = bin.join(tool);
        if !link.exists() {
            symlink(program(tool, package), link).expect("the folder is ours");
        }
    }
    bin
}

/// Runs setup for this part where only these packages are installed; returns those that it has installed.
fn packages_for(part: &str, installed: &[&str]) -> Vec<String> {
    let dir = scratch();
    let bin = bin_with_tools(dir.path());
    let list: String = installed
        .iter()
        .map(|name| format!("echo 'installed {name}'\n"))
        .collect();
    let asked = dir.path().join("asked");
    let note = format!("echo \"$@\" >>'{}'", asked.display());
    for (name, code) in [
        ("dpkg-query", list.as_str()),
        ("apt-get", note.as_str()),
        ("sudo", "exec \"$@\""),
    ] {
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/bash\n{code}\n")).expect("the folder is ours");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }
    printed(
        Command::new(root().join("scripts/setup"))
            .arg(part)
            .env_clear()
            .env("PATH", &bin)
            .env("HOME", dir.path()),
    );
    let asked = fs::read_to_string(asked).unwrap_or_default();
    let install = asked.lines().filter(|line| line.starts_with("install "));
    install
        .flat_map(|line| line.split(' ').skip(1))
        .filter(|word| !word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_the_readme_does_after_the_installation_is_installed() {
    for name in ["a2enmod", "apachectl"] {
        let owner = printed(
            Command::new(program("dpkg", "dpkg"))
                .arg("-S")
                .arg(program(name, "apache2")),
        );
        let owner = owner
            .split(':')
            .next()
            .expect("dpkg names the package first");
        assert_eq!(packages_for("install", &["apache2-bin"]), [owner], "{name}");
        assert!(packages_for("install", &["apache2-bin", owner]).is_empty());
    }
}

/// Runs setup-rust on a machine without Rust, where the installer of `published` bytes is expected to have `sha256`.
fn setup_rust(dir: &Path, installer: &str, expected: impl Fn(&Path) -> String) -> (bool, String) {
    let bin = bin_with_tools(dir);
    let published = dir.join("rustup-init");
    fs::write(&published, installer).expect("the folder is ours");
    fs::create_dir_all(dir.join("cargo")).expect("the folder is ours");
    let output = Command::new(root().join("scripts/setup-rust"))
        .env_clear()
        .env("PATH", &bin)
        .env("HOME", dir)
        .env("CARGO_HOME", dir.join("cargo"))
        .env("RUSTUP_HOME", dir.join("rustup"))
        .env(
            "RUSTUP_UPDATE_ROOT",
            format!("http://{}", publish(installer.as_bytes().to_vec())),
        )
        .env("RUSTUP_INIT_VERSION", "9.9.9")
        .env("RUSTUP_INIT_SHA256", expected(&published))
        .output()
        .expect("scripts/setup-rust runs");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn rust_is_installed_where_there_is_none_and_only_once() {
    let dir = scratch();
    let installer = INSTALLER.replace("VERSION", &format!("{}.0", required_rust()));
    let (ok, said) = setup_rust(dir.path(), &installer, sha256);
    assert!(ok, "{said}");
    assert!(said.contains("downloading"), "{said}");
    let arguments =
        fs::read_to_string(dir.path().join("cargo/arguments")).expect("the installer ran");
    assert!(
        arguments.contains(&required_rust()) && arguments.contains("--no-modify-path"),
        "{arguments}"
    );
    let (ok, said) = setup_rust(dir.path(), "no program at all", sha256);
    assert!(
        ok && !said.contains("downloading"),
        "a satisfying toolchain was not used: {said}"
    );
}

#[test]
fn an_installer_that_is_not_the_expected_one_never_runs() {
    let dir = scratch();
    let wrong = "0".repeat(64);
    let (ok, said) = setup_rust(dir.path(), INSTALLER, |_| wrong.clone());
    assert!(!ok);
    assert!(
        said.contains(&wrong) && said.contains("expected") && said.contains("calculated"),
        "{said}"
    );
    assert!(
        !dir.path().join("cargo/arguments").exists(),
        "the wrong installer ran"
    );
}

#[test]
fn a_toolchain_that_is_too_old_is_not_taken() {
    let dir = scratch();
    let (ok, said) = setup_rust(dir.path(), &INSTALLER.replace("VERSION", "1.63.0"), sha256);
    assert!(!ok);
    assert!(
        said.contains(&format!("Rust {} or newer", required_rust()))
            || said.contains("still not there"),
        "{said}"
    );
}
