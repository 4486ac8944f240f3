//! What is in the images, and what is not.

use std::path::Path;
use std::process::Command;

use mod_wasm_tests::{printed, program};
use tempfile::TempDir;

use crate::docker::{Run, demo_image, docker, inspect, slim_image, text};

/// What a shell line prints in each image, run by this user.
fn each_image_prints(user: &str, line: &str) -> [String; 2] {
    [Run::demo(), Run::slim()].map(|run| {
        let output = run
            .with(&format!("--user {user}"))
            .command(&["bash", "-euo", "pipefail", "-c", line]);
        let said = text(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{line}: {said}");
        text(&output.stdout)
    })
}

#[test]
fn no_file_gives_another_users_rights() {
    let found = each_image_prints("root", "find / -xdev -type f -perm /6000");
    assert_eq!(found, ["", ""]);
}

#[test]
fn nobody_writes_where_others_do() {
    let files = each_image_prints("root", "find / -xdev -type f -perm -0002");
    assert_eq!(files, ["", ""]);
    let folders = each_image_prints("root", "find / -xdev -type d -perm -0002 ! -perm -1000");
    assert_eq!(folders, ["", ""]);
}

#[test]
fn the_user_is_a_number_and_owns_nothing_but_the_data() {
    for image in [demo_image(), slim_image()] {
        let user = inspect(image, "{{.Config.User}}");
        let number = user.split(':').next().unwrap_or_default();
        assert!(
            number.parse().is_ok_and(|number: u32| number > 0),
            "{image}: {user:?}"
        );
        let owned = "find / -xdev -path /proc -prune -o -uid $(id -u) -print";
        let output = Run::image(image).command(&["bash", "-c", owned]);
        assert_eq!(text(&output.stdout), "/data\n", "{image}");
    }
}

#[test]
fn the_servers_user_writes_to_the_data_and_to_temporary_folders_only() {
    for image in [demo_image(), slim_image()] {
        // /root and the like cannot be looked into: nothing is writable there either.
        let writable =
            "find / -xdev -path /proc -prune -o -writable ! -type l -print 2>/dev/null | sort";
        let output = Run::image(image).command(&["bash", "-c", writable]);
        assert_eq!(
            text(&output.stdout),
            "/data\n/run/lock\n/tmp\n/var/tmp\n",
            "{image}"
        );
    }
}

#[test]
fn there_is_no_compiler() {
    let tools = "for tool in gcc cc g++ c++ clang ld as make rustc cargo go node npm pip; do type -P $tool || true; done";
    assert_eq!(each_image_prints("root", tools), ["", ""]);
}

#[test]
fn there_are_no_package_lists_and_no_caches_of_the_build() {
    let rest = "find /var/lib/apt/lists /var/cache/apt /var/log /root /home /src /target /installed -type f 2>/dev/null \
        ! -path '/root/.bashrc' ! -path '/root/.profile' || true";
    assert_eq!(each_image_prints("root", rest), ["", ""]);
}

/// The base image brings none, and nothing that was installed needs any. WordPress has a list of its own.
#[test]
fn there_are_no_certificates_of_the_build() {
    let certificates = "find / -xdev -type f '(' -name '*.crt' -o -name '*.pem' -o -name 'ca-*' ')'; \
        find /usr/local/share -path '*certificates*'";
    let wordpress = "/opt/mod_wasm/sites/wordpress/wp-includes/certificates/ca-bundle.crt\n";
    assert_eq!(each_image_prints("root", certificates), [wordpress, ""]);
}

#[test]
fn no_layer_holds_a_credential() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let archive = folder.path().join("image.tar");
    docker([
        "image",
        "save",
        "--output",
        archive.to_str().expect("temporary paths are UTF-8"),
        demo_image(),
    ]);
    let tar = program("tar", "tar");
    let mut unpack = Command::new(&tar);
    unpack.arg("-xf").arg(&archive).current_dir(folder.path());
    printed(&mut unpack);
    let manifest = std::fs::read(folder.path().join("manifest.json")).expect("it has a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("it is JSON");
    let layers = manifest[0]["Layers"].as_array().expect("it lists layers");
    let names: String = layers
        .iter()
        .map(|layer| names_in(&tar, &folder.path().join(layer.as_str().expect("a path"))))
        .collect();
    assert!(names.contains("opt/mod_wasm/sites/wordpress/wp-config.php\n"));
    for secret in [
        "/keys.php",
        "/wordpress/password",
        "/state/",
        "/.ht.sqlite",
        "/.npmrc",
        "/pip.conf",
        "/.netrc",
        "/.git/",
    ] {
        assert!(!names.contains(secret), "a layer has {secret}");
    }
}

fn names_in(tar: &Path, layer: &Path) -> String {
    printed(Command::new(tar).arg("-tf").arg(layer))
}

#[test]
fn no_variable_and_no_build_step_tells_a_secret() {
    for image in [demo_image(), slim_image()] {
        let variables = inspect(image, "{{join .Config.Env \"\\n\"}}");
        assert!(
            variables.starts_with("PATH=") && variables.lines().count() == 1,
            "{image}: {variables}"
        );
        let steps = docker(["history", "--no-trunc", "--format", "{{.CreatedBy}}", image]);
        let steps = steps.to_lowercase();
        for word in ["registry", "index_url", "token", "secret", "password="] {
            assert!(!steps.contains(word), "{image}: {word}: {steps}");
        }
    }
}

#[test]
fn the_server_does_not_know_the_password() {
    const PASSWORD: &str = "a-word-of-this-test";
    let container = Run::demo().env("WORDPRESS_PASSWORD", PASSWORD).start();
    container.wait_healthy();
    let known = container.exec(&[
        "bash",
        "-euc",
        "for process in /proc/[0-9]*; do
             [[ $(<$process/comm) != apache2 ]] || { echo httpd; tr '\\0' '\\n' <$process/environ; }
         done",
    ]);
    assert!(
        known.contains("httpd\n") && known.contains("PORT=8080\n"),
        "{known}"
    );
    assert!(!known.contains(PASSWORD), "{known}");
    assert!(!container.logs().stdout.contains(PASSWORD));
}

#[test]
fn labels_tell_what_it_is() {
    for image in [demo_image(), slim_image()] {
        let label = |name: &str| {
            let key = format!("{{{{index .Config.Labels \"org.opencontainers.image.{name}\"}}}}");
            inspect(image, &key)
        };
        assert_eq!(label("version"), env!("CARGO_PKG_VERSION"), "{image}");
        assert_eq!(label("revision").len(), 40, "{image}");
        assert!(
            label("source").starts_with("https://github.com/"),
            "{image}"
        );
        assert!(label("licenses").contains("Apache-2.0"), "{image}");
        for name in ["title", "description"] {
            assert!(!label(name).is_empty(), "{image}: {name}");
        }
    }
}

#[test]
fn licences_of_everything_are_in_it() {
    let [demo, slim] = each_image_prints("root", "cat /usr/share/doc/mod_wasm/index.tsv");
    for (image, index, names) in [
        ("slim", &slim, &["mod_wasm", "wasmtime"][..]),
        (
            "demo",
            &demo,
            &[
                "mod_wasm",
                "wasmtime",
                "php",
                "python-3.11.3",
                "pygments",
                "wordpress-6.5.5",
                "sqlite-database-integration-2024",
                "wasi-libc",
            ],
        ),
    ] {
        for name in names {
            let listed = index
                .lines()
                .any(|line| line.starts_with(&format!("{name}\t")));
            assert!(listed, "{image}: {name} is not in the index:\n{index}");
        }
    }
    let missing = "cd /usr/share/doc/mod_wasm
        tail -n +2 index.tsv | cut -f4 | tr ' ' '\\n' | sort -u | while read -r file; do
            [[ $file == - || -s $file ]] || echo $file
        done
        for package in apache2-bin curl libc6 bash; do [[ -s /usr/share/doc/$package/copyright ]] || echo $package; done";
    assert_eq!(each_image_prints("33", missing), ["", ""]);
}

#[test]
fn the_images_are_small() {
    for (image, limit) in [(demo_image(), 450_000_000), (slim_image(), 160_000_000)] {
        let size: u64 = inspect(image, "{{.Size}}")
            .parse()
            .expect("a size is a number");
        assert!(size < limit, "{image} has {size} bytes");
    }
}

#[test]
fn a_request_is_not_traced() {
    for container in [Run::demo().start(), Run::slim().start()] {
        container.wait_answers();
        container.request("TRACE", "/").send().expect(405);
    }
}
