//! The folders that servers read and write.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::dirs::{command, printed, project, run, stages};
use crate::server::{Plan, Server};

/// Installs what that part of `scripts/setup` names, builds what changed, and lays out what the demo serves, with a
/// WordPress that is still to be installed.
pub(crate) fn prepare(part: &str) -> Result<PathBuf> {
    let stage = stages().join("this");
    // Each run begins with the same site.
    remove(&stage.join("data/wordpress"))?;
    printed(command(project("benches/stage"), [part]).env("MOD_WASM_STAGE", &stage))?;
    Ok(stage)
}

/// A copy of a stage, in place of an earlier one.
pub(crate) fn copy_of(stage: &Path, name: &str) -> Result<PathBuf> {
    let target = stages().join(name);
    remove(&target)?;
    copy(stage, &target)?;
    Ok(target)
}

/// Copies a folder or a file with owners, modes and times. Where it goes does not exist yet.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    run(command("cp", ["--archive", "--reflink=auto"])
        .arg(from)
        .arg(to))
}

pub(crate) fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// Has WordPress installed, by its own installer, through a server that ends with that.
pub(crate) fn install_wordpress(stage: &Path, port: u16) -> Result<()> {
    let mut server = Server::start(Plan::new(stage, port))?;
    server.wait_for("/hello-wasm")?;
    install_wordpress_at(&server, stage)
}

/// The same through this server.
pub(crate) fn install_wordpress_at(server: &Server, stage: &Path) -> Result<()> {
    let url = format!("http://{}/wordpress", server.address);
    run(command(project("scripts/wordpress"), ["install", &url]).arg(stage.join("data/wordpress")))
}

/// Compiles the programs of a stage ahead of time, with its own compiler, into this folder.
pub(crate) fn compile(stage: &Path, cache: &Path, target: &str) -> Result<()> {
    let mut programs = Vec::new();
    for folder in ["guests", "runtimes"] {
        let Ok(entries) = fs::read_dir(stage.join(folder)) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "wasm")
            {
                programs.push(path);
            }
        }
    }
    ensure!(!programs.is_empty(), "{} has no programs", stage.display());
    fs::create_dir_all(cache)?;
    let mut compiler = command(stage.join("modules/wasm-precompile"), ["--target", target]);
    printed(compiler.arg("--cache-dir").arg(cache).args(programs))?;
    Ok(())
}
