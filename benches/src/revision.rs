//! Another revision of the project: built, and staged with this one's configuration, programs and data.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::dirs::{command, printed, project, root, run, say};
use crate::stage;

/// What a build leaves for httpd.
const MODULES: &str = "build/modules";

/// What cargo finds of earlier builds: what is looked up by name, and what tells whether it is up to date.
const SEED: &[&str] = &[".fingerprint", "build", "deps"];

/// A commit of the project.
pub(crate) struct Revision {
    commit: String,
    /// As short as it can be.
    pub(crate) name: String,
}

impl Revision {
    pub(crate) fn find(text: &str) -> Result<Self> {
        let git = |arguments: &[&str]| printed(command("git", ["-C"]).arg(root()).args(arguments));
        let commit = git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{text}^{{commit}}"),
        ])
        .with_context(|| format!("there is no revision {text}"))?;
        let name = git(&["rev-parse", "--short", &commit])?;
        Ok(Self { commit, name })
    }
}

/// A stage that differs in mod_wasm alone.
pub(crate) fn prepare(revision: &Revision, from: &Path) -> Result<PathBuf> {
    let modules = build(revision)?;
    let target = stage::copy_of(from, "other")?;
    exchange(&target, &modules)?;
    Ok(target)
}

/// Builds the commit with its own scripts, in a clone below target/ that is kept: the next revision finds there what both
/// have in common, Wasmtime above all.
fn build(revision: &Revision) -> Result<PathBuf> {
    let clone = project("target/bench/clone");
    if !clone.exists() {
        run(
            command("git", ["clone", "--quiet", "--shared", "--no-checkout"])
                .arg(root())
                .arg(&clone),
        )?;
        seed(&clone)?;
    }
    // Checked out, a file that changed is newer than what was built of it.
    run(command("git", ["-C"]).arg(&clone).args([
        "checkout",
        "--quiet",
        "--force",
        "--detach",
        &revision.commit,
    ]))?;
    say(&format!("building {}", revision.name));
    run(Command::new(clone.join("scripts/build")).env_remove("CARGO_TARGET_DIR"))?;
    Ok(clone.join(MODULES))
}

/// Copies what cargo has built here, so that dependencies are not compiled again. Copies, since cargo writes some files
/// in place; without programs, the tests among them.
fn seed(clone: &Path) -> Result<()> {
    let built =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project("target"), PathBuf::from);
    let (from, to) = (built.join("release"), clone.join("target/release"));
    say("copying compiled dependencies for the other revision: once");
    for folder in SEED {
        let (from, to) = (from.join(folder), to.join(folder));
        fs::create_dir_all(&to)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(&from)? {
            let path = entry?.path();
            let library = path.extension().is_some_and(|kind| {
                ["rlib", "rmeta", "so", "d"]
                    .iter()
                    .any(|name| kind == *name)
            });
            if library || path.is_dir() {
                entries.push(path);
            }
        }
        run(
            command("cp", ["--archive", "--reflink=auto", "--target-directory"])
                .arg(to)
                .args(entries),
        )?;
    }
    Ok(())
}

/// Puts the other revision's mod_wasm into a stage: the module, the library, and code that its own compiler made.
fn exchange(stage: &Path, modules: &Path) -> Result<()> {
    let (mine, cache) = (stage.join("modules"), stage.join("cache"));
    for name in ["mod_wasm.so", "libwasm_runtime.so", "wasm-precompile"] {
        fs::copy(modules.join(name), mine.join(name))
            .with_context(|| format!("the other revision has not built {name}"))?;
    }
    let unknown = leave_out_unknown(stage, &fs::read(mine.join("mod_wasm.so"))?)?;
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.iter().map(String::as_str).collect();
        say(&format!(
            "the other revision has no {}: left out of its configuration",
            names.join(", ")
        ));
    }
    stage::remove(&cache)?;
    stage::compile(stage, &cache, "native")
}

/// Takes directives that this module does not have out of the configuration; returns their names.
fn leave_out_unknown(stage: &Path, module: &[u8]) -> Result<BTreeSet<String>> {
    let mut files = vec![stage.join("httpd.conf")];
    for app in fs::read_dir(stage.join("apps"))? {
        files.push(app?.path().join("httpd.conf"));
    }
    let mut unknown = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(file)?;
        let known = without_unknown(&text, module, &mut unknown);
        if known != text {
            fs::write(file, known)?;
        }
    }
    Ok(unknown)
}

/// A module has each directive's name in it, as a string of C.
fn without_unknown(text: &str, module: &[u8], unknown: &mut BTreeSet<String>) -> String {
    let keeps = |line: &&str| {
        let Some(name) = line
            .split_whitespace()
            .next()
            .filter(|name| name.starts_with("Wasm"))
        else {
            return true;
        };
        let string = [name.as_bytes(), b"\0"].concat();
        let known = module.windows(string.len()).any(|window| window == string);
        if !known {
            unknown.insert(name.to_owned());
        }
        known
    };
    text.split_inclusive('\n').filter(keeps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_of_a_newer_module_are_left_out() {
        let text = "<Location /x>\n    WasmModule a.wasm\n    WasmNewer On\n    # WasmNewer is said\n</Location>\n";
        let mut unknown = BTreeSet::new();
        let known = without_unknown(text, b"\0WasmModule\0WasmNewerStill\0", &mut unknown);
        assert_eq!(known, text.replace("    WasmNewer On\n", ""));
        assert_eq!(Vec::from_iter(unknown), ["WasmNewer"]);
    }
}
