//! What docs/image.md tells to type: start, back up and restore, upgrade, a new password, a hardened container.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mod_wasm_tests::Document;
use mod_wasm_tests::visits::editor;

use crate::commands::Reader;
use crate::demos::every_demo_answers;
use crate::docker::{Container, Volume, unique_name};
use crate::wordpress::{publish_post, shows_post};

/// The manual, a reader, and what the reader's commands make; the reader leaves last, and the port with them.
struct Trial {
    manual: Document,
    container: Container,
    _volumes: [Volume; 2],
    reader: Reader,
}

impl Trial {
    fn new() -> Self {
        let container = Container::named(unique_name());
        let volumes = [Volume::new(), Volume::new()];
        let reader = Reader::new(&[
            ("web", container.name()),
            ("mod_wasm-data", &volumes[0].name),
            ("mod_wasm-restored", &volumes[1].name),
        ]);
        Self {
            manual: Document::read("docs/image.md"),
            container,
            _volumes: volumes,
            reader,
        }
    }

    /// The first commands after this heading.
    #[track_caller]
    fn chapter(&self, heading: &str) -> &str {
        self.manual.code_after(&format!("\n## {heading}\n"), "sh")
    }

    /// Runs them.
    #[track_caller]
    fn follow(&self, heading: &str) {
        self.reader.run(self.chapter(heading));
    }

    /// Runs the first commands after these words; returns what they printed.
    #[track_caller]
    fn run_after(&self, words: &str) -> String {
        self.reader.run(self.manual.code_after(words, "sh"))
    }
}

#[test]
fn a_backup_is_restored_an_upgrade_keeps_the_site_and_a_new_password_logs_in() {
    let trial = Trial::new();
    trial.follow("Start");
    trial.container.wait_healthy();
    let password = trial.run_after("and kept in the volume:");
    let password = password.trim();
    let mut admin = editor::log_in(trial.container.address(), password);
    publish_post(&mut admin);

    trial.follow("Back up and restore");
    trial.container.wait_healthy();
    shows_post(trial.container.address());
    trial.run_after("Restore into a new volume");

    // The new version is the same one.
    trial.follow("Upgrade");
    trial.container.wait_healthy();
    shows_post(trial.container.address());

    trial.follow("A new password");
    editor::is_refused(trial.container.address(), password);
    editor::log_in(trial.container.address(), "one of your own");

    // What was saved before all that.
    let upgrade = trial.chapter("Upgrade");
    trial
        .reader
        .run(&upgrade.replace("mod_wasm-data:", "mod_wasm-restored:"));
    trial.container.wait_healthy();
    shows_post(trial.container.address());
    editor::log_in(trial.container.address(), password);
}

#[test]
fn a_password_file_and_the_hardening_flags_work_as_written() {
    let trial = Trial::new();
    let file = trial.reader.folder().join("wordpress-password");
    trial.reader.file("wordpress-password", "of this test\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    trial.run_after("so prefer the file:");
    trial.container.wait_healthy();
    editor::log_in(trial.container.address(), "of this test");

    trial.reader.run("docker rm --force web");
    trial.follow("A hardened container");
    trial.container.wait_healthy();
    every_demo_answers(&trial.container);
}
