//! `image`: how fast a container answers, and how large the images are.

use std::env;
use std::net::Ipv4Addr;
use std::process::Output;
use std::thread::{available_parallelism, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cli::Image;
use crate::dirs::{command, output, printed, say};
use crate::http::Client;
use crate::sample::milliseconds;
use crate::start::{times_row, times_table};
use crate::table::Table;

const PAGES: [&str; 2] = ["/hello-wasm", "/php-hello"];
const TAGS: [&str; 2] = ["latest", "slim"];
const LIMIT: Duration = Duration::from_secs(30);
/// A connection that leads nowhere yet is tried again soon.
const PATIENCE: Duration = Duration::from_millis(200);

pub(crate) fn run(options: &Image) -> Result<()> {
    let image = env::var("MOD_WASM_IMAGE").unwrap_or_else(|_| "httpd-mod-wasm".to_owned());
    let sizes = sizes(&image)?;
    let mut times = [const { Vec::new() }; PAGES.len()];
    for run in 1..=options.runs {
        say(&format!("start {run} of {}", options.runs));
        for (page, times) in PAGES.iter().zip(&mut times) {
            times.push(milliseconds(start_once(&image, options.port.first, page)?));
        }
    }
    let mut table = times_table("first answer of");
    for (page, times) in PAGES.iter().zip(&times) {
        table.row(times_row(&format!("`{page}`"), times));
    }
    println!(
        "Milliseconds from docker run to the first answer; {} cores.\n\n{table}\n{sizes}",
        available_parallelism()?
    );
    Ok(())
}

fn docker(arguments: &[&str]) -> Result<Output> {
    output(&mut command("docker", arguments))
}

/// The sizes of the images; an error where no engine answers, or where an image is missing.
fn sizes(image: &str) -> Result<Table> {
    // A docker client alone is not an engine.
    let engine = docker(&["version", "--format", "{{.Server.Version}}"])?;
    let said = String::from_utf8_lossy(&engine.stderr);
    ensure!(
        engine.status.success(),
        "no container engine answers: {}",
        said.trim_end()
    );
    let mut table = Table::new(1, &["image", "size"]);
    for tag in TAGS {
        let name = format!("{image}:{tag}");
        let inspected = docker(&["image", "inspect", "--format", "{{.Size}}", &name])?;
        ensure!(
            inspected.status.success(),
            "there is no image {name}: run make image first"
        );
        let bytes: f64 = String::from_utf8_lossy(&inspected.stdout).trim().parse()?;
        table.row(vec![format!("`:{tag}`"), format!("{:.0} MB", bytes / 1e6)]);
    }
    Ok(table)
}

/// A container that is removed, with its volumes, when it is dropped.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

/// The time from docker run to the page's first answer. Nobody asks before docker run has returned: Docker's proxy would
/// look for the container before it has its network, and again only a second later.
fn start_once(image: &str, port: u16, page: &str) -> Result<Duration> {
    let container = Container(format!("mod_wasm-bench-{}", std::process::id()));
    let publish = format!("127.0.0.1:{port}:8080");
    let begin = Instant::now();
    printed(&mut command(
        "docker",
        [
            "run",
            "--detach",
            "--name",
            &container.0,
            "--publish",
            &publish,
            image,
        ],
    ))?;
    let mut client = Client::impatient((Ipv4Addr::LOCALHOST, port).into(), PATIENCE);
    while !client.get(page).is_ok_and(|answer| answer.status == 200) {
        ensure!(
            begin.elapsed() < LIMIT,
            "{page} does not answer; {}",
            said(&container.0)?
        );
        sleep(Duration::from_millis(10));
    }
    Ok(begin.elapsed())
}

/// The last thing that a container said.
fn said(container: &str) -> Result<String> {
    let logs = docker(&["logs", "--tail", "3", container])?;
    let text = [logs.stdout, logs.stderr].concat();
    Ok(format!(
        "the container said: {}",
        String::from_utf8_lossy(&text).trim_end()
    ))
}
