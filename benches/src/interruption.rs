//! `interruption`: runs that are ended by epochs beside runs that are ended by a page.

use std::path::Path;

use anyhow::Result;

use crate::cli::Interruption;
use crate::pairs::{self, Pair, Paths};
use crate::quick::add_apps;
use crate::server::{Plan, Server};
use crate::stage;

const NAMES: [&str; 2] = ["epochs", "page"];

/// About half a second of each in a round.
pub(crate) const PAGES: Paths = &[
    ("/bench/hello-c", 2000),
    ("/hello-wasm", 2000),
    ("/php-hello", 200),
    ("/bench/compute", 2),
    ("/wordpress/", 1),
    ("/hello-python", 15),
    ("/started-once/each-time", 5),
];

pub(crate) fn run(options: &Interruption) -> Result<()> {
    let stage = stage::prepare("bench")?;
    add_apps(&stage)?;
    stage::install_wordpress(&stage, options.port.first)?;
    let [epochs, page] = NAMES;
    let servers = [
        serve(&stage, epochs, options.port.first)?,
        serve(&stage, page, options.port.first + 1)?,
    ];
    let pair = Pair {
        names: NAMES,
        servers,
    };
    pairs::measure(&pair, PAGES, options.rounds)
}

/// Both may share a cache: its key tells their code apart.
fn serve(stage: &Path, way: &str, port: u16) -> Result<Server> {
    let mut plan = Plan::new(stage, port);
    // httpd itself is started with a bare environment.
    let env = [
        "/usr/bin/env".to_owned(),
        format!("MOD_WASM_INTERRUPTION={way}"),
    ];
    plan.httpd.splice(..0, env);
    let mut server = Server::start(plan)?;
    for (path, _) in PAGES {
        server.wait_for(path)?;
    }
    Ok(server)
}
