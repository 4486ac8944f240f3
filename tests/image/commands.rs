//! Commands that a document shows, run as they are written.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mod_wasm_tests::{Browser, Terminal, printed, wait_until};
use tempfile::TempDir;

use crate::docker::{Container, IMAGE, PATIENCE, docker, docker_output, image_name};

/// The documents publish the same port everywhere.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);

/// A reader who types what stands in a document, in a folder of their own. Images are those that were built here, and
/// names that may be somebody's (of containers, volumes and images) are exchanged; nothing else is.
pub(crate) struct Reader {
    folder: TempDir,
    names: Vec<(String, String)>,
    _port: MutexGuard<'static, ()>,
}

impl Reader {
    /// `names` are pairs of a document's name and the one to use in its place.
    pub(crate) fn new(names: &[(&str, &str)]) -> Self {
        static PORT: Mutex<()> = Mutex::new(());
        let names = names.iter();
        Self {
            folder: TempDir::new().expect("a temporary folder can be made"),
            names: names
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
                .collect(),
            _port: PORT.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Puts a file into the reader's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).expect("the folder is ours");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A visitor of the port that the documents publish.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::at(ADDRESS.into())
    }

    /// What was written, with this machine's names.
    pub(crate) fn adapt(&self, written: &str) -> String {
        let images = replace_words(written, IMAGE, &image_name());
        self.names
            .iter()
            .fold(images, |text, (from, to)| replace_words(&text, from, to))
    }

    /// Runs commands to their end; returns what they printed.
    #[track_caller]
    pub(crate) fn run(&self, commands: &str) -> String {
        let commands = self.adapt(commands);
        let mut shell = Command::new("sh");
        shell.args(["-euc", &commands]).current_dir(&self.folder);
        printed(&mut shell)
    }

    /// Runs a command that serves until Ctrl-C, on a terminal.
    #[track_caller]
    pub(crate) fn serve(&self, command: &str) -> Served {
        let command = self.adapt(command);
        let folder = self.folder.path().display();
        let terminal = Terminal::run(&format!("cd {folder} && {command}"));
        let mut id = String::new();
        wait_until("a container publishes port 8080", PATIENCE, || {
            id = docker(["ps", "--quiet", "--filter", "publish=8080"]);
            !id.is_empty()
        });
        let container = Container::named(id.trim().to_owned());
        Served {
            container,
            terminal,
        }
    }
}

/// A server in the foreground of a terminal.
pub(crate) struct Served {
    // The first to be dropped: a terminal waits for what runs on it.
    container: Container,
    terminal: Terminal,
}

impl Served {
    pub(crate) fn output(&self) -> String {
        self.terminal.output()
    }

    #[track_caller]
    pub(crate) fn wait_healthy(&self) {
        self.container.wait_healthy();
    }

    /// Presses Ctrl-C, and waits until nothing is left of the container.
    #[track_caller]
    pub(crate) fn interrupt(mut self) {
        self.terminal.type_in(b"\x03");
        wait_until("the container is gone", PATIENCE, || {
            let found = docker_output(["inspect", self.container.name()]);
            !found.status.success()
        });
        assert!(self.output().contains("==> stopped"), "{}", self.output());
    }
}

fn replace_words(text: &str, from: &str, to: &str) -> String {
    const ENDS: [char; 3] = [' ', '\n', ':'];
    let words = text.split_inclusive(ENDS).map(|word| {
        if word.trim_end_matches(ENDS) == from {
            word.replacen(from, to, 1)
        } else {
            word.to_owned()
        }
    });
    words.collect()
}
