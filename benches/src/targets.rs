//! `targets`: code for this processor beside code for any of its architecture.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::cli::Targets;
use crate::dirs::say;
use crate::pairs::{self, Pair, Paths};
use crate::server::{Plan, Server};
use crate::stage;

const NAMES: [&str; 2] = ["native", "baseline"];

/// About half a second of each in a round.
pub(crate) const PAGES: Paths = &[
    ("/php-hello", 200),
    ("/wordpress/", 1),
    ("/hello-python", 15),
];

pub(crate) fn run(options: &Targets) -> Result<()> {
    let stage = stage::prepare("demo")?;
    stage::install_wordpress(&stage, options.port.first)?;
    let [native, baseline] = NAMES;
    let servers = [
        serve(&stage, native, options.port.first)?,
        serve(&stage, baseline, options.port.first + 1)?,
    ];
    let pair = Pair {
        names: NAMES,
        servers,
    };
    pairs::measure(&pair, PAGES, options.rounds)
}

/// A server on the code for that target, in a folder of its own: given both, it would choose the better code.
fn serve(stage: &Path, target: &str, port: u16) -> Result<Server> {
    say(&format!("compiling for {target}"));
    let cache = stage.with_file_name("targets").join(target);
    stage::remove(&cache)?;
    stage::compile(stage, &cache, target)?;
    let mut plan = Plan::new(stage, port);
    plan.variables = vec![("CACHE", cache.display().to_string())];
    let mut server = Server::start(plan)?;
    server.wait_for("/hello-wasm")?;
    // The log code of a module that was compiled at start: for this processor.
    let log = server.log();
    ensure!(
        !log.contains("WASM0020"),
        "the server did not use the code for {target}: {log}"
    );
    Ok(server)
}
