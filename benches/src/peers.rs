//! What mod_wasm is compared with: other ways in which httpd runs PHP and Python, as Debian packages them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::dirs::{command, project, run};
use crate::server::{Plan, Server};
use crate::stage;

/// Names of peers in `peers/httpd.conf`.
pub(crate) const MOD_PHP: &str = "mod_php";
/// The one that asks another server.
pub(crate) const PHP_FPM: &str = "php-fpm";
pub(crate) const PHP_CGI: &str = "php-cgi";
pub(crate) const MOD_WSGI: &str = "mod_wsgi";
/// What chooses the PHP that `scripts/php-native` builds.
pub(crate) const FROM_SOURCE: &str = "from-source";

/// Installs them, and lays out what they serve: the demo's pages, and a copy of its WordPress.
pub(crate) fn prepare(from: &Path) -> Result<PathBuf> {
    run(&mut command(project("scripts/setup"), ["peers"]))?;
    let target = from.with_file_name("peers");
    stage::remove(&target)?;
    for folder in ["cache", "conf", "run", "data", "sites"] {
        fs::create_dir_all(target.join(folder))?;
    }
    stage::copy(&from.join("apps"), &target.join("apps"))?;
    for part in ["data/wordpress", "sites/wordpress"] {
        stage::copy(&from.join(part), &target.join(part))?;
    }
    configure(&target)?;
    leave_the_sandbox(&target)?;
    Ok(target)
}

/// Gives a stage the configuration of the peers.
pub(crate) fn configure(stage: &Path) -> Result<()> {
    for (file, target) in [
        ("httpd.conf", "httpd.conf"),
        ("mod_wasm.conf", "apps/mod_wasm.conf"),
        ("hello.wsgi", "apps/hello.wsgi"),
    ] {
        fs::copy(project("benches/peers").join(file), stage.join(target))?;
    }
    Ok(())
}

/// Lays out what `scripts/php-native` built, with the settings that the source recommends, and OPcache as Debian has it.
pub(crate) fn add_from_source(stage: &Path, source: &Path) -> Result<()> {
    let target = stage.join("runtimes");
    fs::create_dir_all(&target)?;
    for file in [
        "bin/php-cgi",
        "sbin/php-fpm",
        "libexec/libphp.so",
        "lib/opcache.so",
    ] {
        let built = project("build/php-native").join(file);
        let name = built.file_name().context("a file has a name")?;
        fs::copy(&built, target.join(name))
            .with_context(|| format!("cannot copy {}", built.display()))?;
    }
    let mut settings = fs::read_to_string(source.join("php.ini-production"))?;
    settings.push_str(&format!(
        "\n[bench]\nzend_extension = {}/opcache.so\nopcache.enable = 1\nopcache.jit = disable\n",
        target.display()
    ));
    fs::write(target.join("php.ini"), settings)?;
    Ok(())
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

/// Starts the httpd of a peer, which `defines` choose, with what it asks.
pub(crate) fn start(stage: &Path, port: u16, defines: &[&str]) -> Result<Server> {
    let mut plan = Plan::new(stage, port);
    plan.httpd
        .extend(defines.iter().map(|define| format!("-D{define}")));
    let mut server = Server::start(plan)?;
    if defines.contains(&PHP_FPM) {
        let program = if defines.contains(&FROM_SOURCE) {
            let runtimes = stage.join("runtimes");
            vec![
                runtimes.join("php-fpm").display().to_string(),
                "--php-ini".to_owned(),
                runtimes.display().to_string(),
            ]
        } else {
            vec![php_fpm()?]
        };
        start_php_fpm(&mut server, stage, program)?;
    }
    Ok(server)
}

/// As many processes as there are connections by default.
fn start_php_fpm(server: &mut Server, stage: &Path, mut program: Vec<String>) -> Result<()> {
    let run_folder = server.run_folder.display();
    let configuration = stage.join(format!("conf/php-fpm-{}.conf", server.address.port()));
    let text = format!(
        "[global]\nerror_log = {run_folder}/fpm.log\n\n\
         [bench]\nlisten = {run_folder}/fpm.sock\npm = static\npm.max_children = 4\n"
    );
    fs::write(&configuration, text)?;
    program.extend([
        "--nodaemonize".to_owned(),
        "--fpm-config".to_owned(),
        configuration.display().to_string(),
    ]);
    server.add(&program)
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
