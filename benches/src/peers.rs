//! What mod_wasm is compared with: other ways in which httpd runs PHP and Python, as Debian packages them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::dirs::{command, project, run};
use crate::server::{HTTPD, Plan, Server};
use crate::stage;
use crate::work::PHP_FPM;

/// Installs them, and lays out what they serve: the demo's pages, and a copy of its WordPress.
pub(crate) fn prepare(from: &Path) -> Result<PathBuf> {
    run(&mut command(project("scripts/setup"), ["peers"]))?;
    let target = from.with_file_name("peers");
    stage::remove(&target)?;
    for folder in ["conf", "run", "data", "sites"] {
        fs::create_dir_all(target.join(folder))?;
    }
    stage::copy_folder(&from.join("apps"), &target.join("apps"))?;
    for part in ["data/wordpress", "sites/wordpress"] {
        stage::copy_folder(&from.join(part), &target.join(part))?;
    }
    fs::copy(
        project("benches/peers/httpd.conf"),
        target.join("httpd.conf"),
    )?;
    fs::copy(
        project("benches/peers/hello.wsgi"),
        target.join("apps/hello.wsgi"),
    )?;
    leave_the_sandbox(&target)?;
    Ok(target)
}

/// The demo's site reads and writes where the sandbox has its mounts. Here these folders have other names.
fn leave_the_sandbox(stage: &Path) -> Result<()> {
    let (site, data) = (stage.join("sites/wordpress"), stage.join("data/wordpress"));
    let keys = format!("'{}", data.join("keys").display());
    replace(&site.join("wp-config.php"), &[("'/keys", &keys)])?;
    replace(
        &site.join("wp-content/mu-plugins/demo.php"),
        &[("'/keys", &keys)],
    )?;
    for folder in ["database", "uploads"] {
        let inside = site.join("wp-content").join(folder);
        stage::remove(&inside)?;
        symlink(data.join(folder), &inside)?;
    }
    Ok(())
}

fn replace(file: &Path, pairs: &[(&str, &str)]) -> Result<()> {
    let mut text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    for (old, new) in pairs {
        if !text.contains(old) {
            bail!("{} has no {old}: mend benches/src/peers.rs", file.display());
        }
        text = text.replace(old, new);
    }
    fs::write(file, text)?;
    Ok(())
}

/// Starts the httpd of a peer, with what it asks.
pub(crate) fn start(stage: &Path, port: u16, name: &str) -> Result<Server> {
    let mut plan = Plan::new(stage, port);
    plan.httpd = [HTTPD, "-DFOREGROUND", "-D", name]
        .map(str::to_owned)
        .into();
    let mut server = Server::start(plan)?;
    if name == PHP_FPM {
        start_php_fpm(&mut server, stage)?;
    }
    Ok(server)
}

/// As many processes as there are connections by default.
fn start_php_fpm(server: &mut Server, stage: &Path) -> Result<()> {
    let configuration = stage.join("conf/php-fpm.conf");
    let run_folder = server.run_folder.display();
    let text = format!(
        "[global]\nerror_log = {run_folder}/fpm.log\n\n\
         [bench]\nlisten = {run_folder}/fpm.sock\npm = static\npm.max_children = 4\n"
    );
    fs::write(&configuration, text)?;
    server.add(&[
        php_fpm()?,
        "--nodaemonize".to_owned(),
        "--fpm-config".to_owned(),
        configuration.display().to_string(),
    ])
}

/// Debian's program has PHP's version in its name.
fn php_fpm() -> Result<String> {
    let mut programs: Vec<String> = fs::read_dir("/usr/sbin")?
        .filter_map(|entry| entry.ok()?.path().into_os_string().into_string().ok())
        .filter(|path| path.starts_with("/usr/sbin/php-fpm"))
        .collect();
    programs.sort();
    programs
        .pop()
        .context("there is no php-fpm: run scripts/setup peers")
}
