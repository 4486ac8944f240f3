//! `php`: one PHP beside another, in all ways in which httpd runs it.

mod profile;
mod report;
mod ways;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cli::Php;
use crate::dirs::{command, printed, project, run as run_command, say};
use crate::server::Server;
use crate::{load, peers, sample, stage};
use report::Cell;
use ways::{WAYS, Way};

const NOTHING: [&str; 0] = [];

pub(crate) fn run(options: &Php) -> Result<()> {
    let mut cells: Vec<Cell> = ways::chosen(&options.only)
        .into_iter()
        .map(|(way, case)| Cell {
            way,
            case,
            samples: Vec::new(),
        })
        .collect();
    ensure!(
        !cells.is_empty(),
        "no page has such a name; the names are those of the tables, as in \"hello, mod_wasm, warm\""
    );
    let stages = prepare(options.port.first)?;
    let servers = start(options, &stages, &cells)?;
    if options.profile {
        return show_profiles(options, &stages, &servers, &cells);
    }
    measure(options, &servers, &mut cells)?;
    println!(
        "{} cores, {} connections, {} × {} s for each, interleaved.\n\n{}",
        available_parallelism()?,
        options.connections,
        options.rounds,
        options.seconds,
        report::tables(&cells)
    );
    Ok(())
}

/// Where mod_wasm and its peers are laid out.
struct Stages {
    ours: PathBuf,
    peers: PathBuf,
    password: String,
}

fn prepare(port: u16) -> Result<Stages> {
    let ours = stage::prepare("bench")?;
    run_command(&mut command(project("scripts/setup"), ["peers"]))?;
    run_command(&mut command(project("scripts/php-native"), NOTHING))?;
    let source = source()?;
    add_pages(&ours, &source)?;
    warm_symfony(&ours)?;
    peers::configure(&ours)?;
    let mut server = peers::start(&ours, port, ways::INSTALLER)?;
    server.wait_for(ways::HELLO_PATH)?;
    stage::install_wordpress_at(&server, &ours)?;
    drop(server);
    let password = fs::read_to_string(ours.join("data/wordpress/password"))
        .context("WordPress has no password that was made at random: is WORDPRESS_PASSWORD set?")?;
    let peers = peers::prepare(&ours)?;
    peers::add_from_source(&peers, &source)?;
    Ok(Stages {
        ours,
        peers,
        password: password.trim().to_owned(),
    })
}

/// PHP's source, which `scripts/php-native` has had fetched.
fn source() -> Result<PathBuf> {
    let listed = printed(&mut command(
        project("scripts/fetch-apps"),
        ["--list", "--json", "php-sources"],
    ))?;
    let (_, name) = listed
        .split_once("\"artifact\":\"php-")
        .context("php-sources of apps/apps.toml has no PHP")?;
    let name: String = name.chars().take_while(|&letter| letter != '"').collect();
    Ok(project("apps/fetched").join(format!("php-{name}")))
}

/// The demo's hello among them, and PHP's own benchmark, which is not ours to hand on.
fn add_pages(stage: &Path, source: &Path) -> Result<()> {
    let apps = stage.join("apps");
    for app in ["php", "symfony"] {
        let target = apps.join(format!("bench-{app}"));
        stage::copy(&project("benches/apps").join(app), &target)?;
    }
    // With their times, which are in snapshots: these need not be taken again the next time.
    stage::copy(
        &apps.join("php-hello/public/index.php"),
        &apps.join("bench-php/public/hello.php"),
    )?;
    let bench = source.join("Zend/bench.php");
    stage::copy(&bench, &apps.join("bench-php/public/bench.php"))
        .with_context(|| {
            format!(
                "{} is missing: it comes with PHP's source, which scripts/fetch-apps php-sources fetches",
                bench.display()
            )
        })?;
    let settings = apps.join("php-image");
    stage::copy(&apps.join("php"), &settings)?;
    fs::create_dir_all(settings.join("conf.d"))?;
    fs::copy(project("image/php.ini"), settings.join("conf.d/image.ini"))?;
    Ok(())
}

/// Has Symfony compile its container and its templates: servers cannot write there. Twig's names of files have PHP's version in them,
/// so each version does it.
fn warm_symfony(stage: &Path) -> Result<()> {
    let application = stage.join("apps/bench-symfony");
    let page = application.join("public/classic/index.php");
    let mounts = [
        format!("{0}={0}", application.display()),
        "/usr/share/php=/usr/share/php:ro".to_owned(),
    ];
    let mut ours = command(project("build/modules/wasm-run"), ["--cache-dir"]);
    ours.arg(stage.join("cache"));
    for mount in &mounts {
        ours.args(["--mount", mount]);
    }
    ours.arg(stage.join("runtimes/php.wasm"));
    for mut php in [ours, command("/usr/bin/php", NOTHING)] {
        let answer = printed(php.arg(&page))?;
        ensure!(answer.contains("50 rows"), "Symfony does not run: {answer}");
    }
    Ok(())
}

/// A server for each way that has a page, and nothing for the others. One answer of each page is looked at.
fn start(options: &Php, stages: &Stages, cells: &[Cell]) -> Result<Vec<Option<Server>>> {
    let mut servers = Vec::new();
    for (port, (number, way)) in (options.port.first..).zip(WAYS.iter().enumerate()) {
        let of_way: Vec<&Cell> = cells.iter().filter(|cell| cell.way == number).collect();
        if of_way.is_empty() {
            servers.push(None);
            continue;
        }
        say(&format!("starting {}", way.name));
        let mut server = start_one(stages, way, port)?;
        if of_way.iter().any(|cell| cell.case.as_admin) {
            log_in(&mut server, &stages.password)?;
        }
        for cell in of_way {
            load::ask(&server, &cell.case, 2)
                .with_context(|| format!("{} failed; {}", cell.case.label(), server.log()))?;
        }
        no_surprise(&server, way)?;
        servers.push(Some(server));
    }
    Ok(servers)
}

fn start_one(stages: &Stages, way: &Way, port: u16) -> Result<Server> {
    let stage = if way.is_ours() {
        &stages.ours
    } else {
        &stages.peers
    };
    let mut server = peers::start(stage, port, way.defines)?;
    server.wait_for(ways::HELLO_PATH)?;
    Ok(server)
}

/// WordPress's cookies are for one address, so each server gives its own.
fn log_in(server: &mut Server, password: &str) -> Result<()> {
    let page = format!("http://{}/wordpress/wp-login.php", server.address);
    let jar = printed(&mut command(
        "curl",
        [
            "--silent",
            "--show-error",
            "--fail",
            "--output",
            "/dev/null",
            "--cookie-jar",
            "-",
            "--data",
            &format!("log=admin&pwd={password}"),
            &page,
        ],
    ))?;
    let cookies = cookies(&jar);
    ensure!(
        cookies.contains("wordpress_logged_in_"),
        "{page} does not take the password; {}",
        server.log()
    );
    server.cookie = Some(cookies);
    Ok(())
}

/// What curl keeps: a line for each cookie, with seven fields, of which the last are name and value.
fn cookies(jar: &str) -> String {
    let pairs: Vec<String> = jar
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [_, _, path, _, _, name, value] = fields[..] else {
                return None;
            };
            (path != "/wordpress/wp-content/plugins").then(|| format!("{name}={value}"))
        })
        .collect();
    pairs.join("; ")
}

/// mod_wasm says so where a program has no snapshot, or a script is not compiled: then this is not what the table says.
fn no_surprise(server: &Server, way: &Way) -> Result<()> {
    let log = server.whole_log();
    for code in ["WASM0026", "WASM0027", "WASM0069"] {
        ensure!(!log.contains(code), "{}: {log}", way.name);
    }
    Ok(())
}

fn show_profiles(
    options: &Php,
    stages: &Stages,
    servers: &[Option<Server>],
    cells: &[Cell],
) -> Result<()> {
    let functions = profile::functions(&stages.ours)?;
    let duration = Duration::from_secs_f64(options.seconds * f64::from(options.rounds));
    let has_names = |way: &Way| way.is_ours() && way.name != ways::PREBUILT;
    for cell in cells.iter().filter(|cell| has_names(&WAYS[cell.way])) {
        let server = servers[cell.way].as_ref().context("it was started")?;
        profile::print(server, &cell.case, &functions, duration)?;
    }
    Ok(())
}

/// The first way of a page changes from round to round.
fn measure(options: &Php, servers: &[Option<Server>], cells: &mut [Cell]) -> Result<()> {
    let duration = Duration::from_secs_f64(options.seconds);
    for round in 0..usize::from(options.rounds) {
        say(&format!("round {} of {}", round + 1, options.rounds));
        for page in cells.chunk_by_mut(|one, other| one.case.what == other.case.what) {
            for number in 0..page.len() {
                let cell = &mut page[(number + round) % page.len()];
                let server = servers[cell.way].as_ref().context("it was started")?;
                let sample = sample::take(server, &cell.case, options.connections, duration)
                    .with_context(|| format!("{} failed; {}", cell.case.label(), server.log()))?;
                cell.samples.push(sample);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_those_of_the_dashboard() {
        let jar = "# Netscape HTTP Cookie File\n\n\
            #HttpOnly_127.0.0.1\tFALSE\t/wordpress/wp-admin\tFALSE\t0\twordpress_1\tadmin%7C1\n\
            #HttpOnly_127.0.0.1\tFALSE\t/wordpress/wp-content/plugins\tFALSE\t0\twordpress_1\tadmin%7C1\n\
            #HttpOnly_127.0.0.1\tFALSE\t/wordpress/\tFALSE\t0\twordpress_logged_in_1\tadmin%7C2\n";
        assert_eq!(
            cookies(jar),
            "wordpress_1=admin%7C1; wordpress_logged_in_1=admin%7C2"
        );
    }
}
