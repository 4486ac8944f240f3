//! Artifacts that a command of the project makes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::sandbox::{Outcome, Sandbox, artifact, file_artifact, sha256};
use crate::server::{Reply, Server};

const CONTENT: &[u8] = b"made here\n";

/// A project with a script, whose manifest lies in a folder of it as the real one does.
struct Project(Sandbox);

impl Project {
    fn new(script: &str, more: &str) -> Self {
        let sandbox = Sandbox::new().set("LC_ALL", "C");
        fs::create_dir(sandbox.path("apps")).unwrap();
        let source =
            "unpack = 'none'\nfile = 'file'\nsources = [{ type = 'build', command = 'make it' }]";
        fs::write(
            sandbox.path("apps/apps.toml"),
            artifact("thing", CONTENT, source) + more,
        )
        .unwrap();
        fs::write(
            sandbox.path("make"),
            format!("#!/bin/sh\nset -e\nPATH=/usr/bin:/bin\n{script}\n"),
        )
        .unwrap();
        fs::set_permissions(sandbox.path("make"), fs::Permissions::from_mode(0o755)).unwrap();
        Self(sandbox)
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.0
            .run(&[&["--manifest", "apps/apps.toml"], arguments].concat())
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.0.path("apps/fetched").join(below)).unwrap()
    }

    fn cache(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path("apps/fetched/.cache")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect()
    }
}

#[test]
fn the_command_runs_in_the_projects_folder_and_is_seen() {
    let script =
        "[ \"$1\" = it ] && [ -f apps/apps.toml ] && echo compiling && echo 'made here' >\"$2\"";
    let project = Project::new(script, "");
    let outcome = project.run(&[]).succeeded();
    assert_eq!(project.read("thing/file").as_bytes(), CONTENT);
    assert_eq!(outcome.stdout, "thing: fetched from the command make it\n");
    assert!(
        outcome
            .stderr
            .contains("thing: running make it\ncompiling\n"),
        "{}",
        outcome.stderr
    );
    assert_eq!(project.cache(), [sha256(CONTENT)]);

    fs::remove_file(project.0.path("make")).unwrap();
    fs::remove_dir_all(project.0.path("apps/fetched/thing")).unwrap();
    let outcome = project.run(&["--quiet", "--json"]).succeeded();
    assert!(
        outcome.stdout.contains("\"source\":\"the download cache\""),
        "{}",
        outcome.stdout
    );
}

#[test]
fn what_it_makes_is_checked() {
    let project = Project::new("echo other >\"$2\"", "");
    let message = format!(
        "what make it made: wrong content: expected sha256 {}, calculated {}",
        sha256(CONTENT),
        sha256(b"other\n")
    );
    project.run(&[]).failed_with(1, &message);
    assert_eq!(project.cache(), Vec::<String>::new());
}

#[test]
fn its_failure_is_told() {
    let project = Project::new("echo half >\"$2\"; echo 'no compiler' >&2; exit 3", "");
    let outcome = project
        .run(&["--quiet"])
        .failed_with(1, "thing: make it failed (exit status: 3)");
    assert!(outcome.stderr.contains("no compiler"), "{}", outcome.stderr);
    assert_eq!(project.cache(), Vec::<String>::new());
    Project::new("true", "")
        .run(&[])
        .failed_with(1, "make it did not write ");
    let project = Project::new("", "");
    fs::remove_file(project.0.path("make")).unwrap();
    project.run(&[]).failed_with(1, "thing: cannot run ");
}

#[test]
fn it_may_fetch_what_it_needs_itself() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    let tool = env!("CARGO_BIN_EXE_fetch-apps");
    let script = format!(
        "{tool} -q needed other && [ -f apps/fetched/other/file ] && cp apps/fetched/needed/file \"$2\""
    );
    let needed = file_artifact("needed", CONTENT, &[&server.url("/needed")]);
    let other = file_artifact("other", b"other", &["https://name.invalid/other"]);
    let project = Project::new(&script, &(needed + &other).replace("default = true", ""));
    // The same bytes would come from the cache otherwise.
    let script = fs::read_to_string(project.0.path("make")).unwrap();
    fs::write(
        project.0.path("make"),
        script.replace("needed/file \"$2\"", "needed/file \"$2\" && echo >>\"$2\""),
    )
    .unwrap();
    let manifest = fs::read_to_string(project.0.path("apps/apps.toml")).unwrap();
    let made = [CONTENT, b"\n"].concat();
    fs::write(
        project.0.path("apps/apps.toml"),
        manifest.replacen(&sha256(CONTENT), &sha256(&made), 1),
    )
    .unwrap();
    fs::create_dir(project.0.path("mirror")).unwrap();
    fs::write(project.0.path("mirror").join(sha256(b"other")), "other").unwrap();

    // The mirror that this run was given serves the command's runs too, wherever they are started.
    project.run(&["thing", "--mirror", "mirror"]).succeeded();
    assert_eq!(project.read("thing/file").as_bytes(), made);
    assert_eq!(server.targets(), ["/needed"]);
}

#[test]
fn two_runs_make_it_once() {
    let project = Project::new("echo x >>runs; sleep 1; echo 'made here' >\"$2\"", "");
    let arguments = ["--manifest", "apps/apps.toml"];
    let runs = [project.0.start(&arguments), project.0.start(&arguments)];
    for run in runs {
        Outcome::from(run).succeeded();
    }
    assert_eq!(fs::read_to_string(project.0.path("runs")).unwrap(), "x\n");
}

#[test]
fn a_release_comes_before_the_build() {
    let server = Server::start(|_| Reply::Ok(CONTENT.into()));
    let project = Project::new("exit 1", "");
    let path = project.0.path("apps/apps.toml");
    let release = format!(
        "sources = [{{ type = 'https', url = '{}' }}, ",
        server.url("/made")
    );
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replace("sources = [", &release)).unwrap();
    project.run(&[]).succeeded();
    assert_eq!(server.targets(), ["/made"]);
}
