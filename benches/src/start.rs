//! `start`: from starting httpd to its first answer.

use std::collections::BTreeMap;
use std::thread::available_parallelism;

use anyhow::Result;

use crate::cli::Start;
use crate::sample::milliseconds;
use crate::server::{Plan, Server};
use crate::stage;
use crate::stats::Spread;
use crate::table::Table;

const PAGE: &str = "/php-hello";

pub(crate) fn run(options: &Start) -> Result<()> {
    let stage = stage::prepare("demo")?;
    let port = options.port.first;
    let cache = stage.join("run").join(port.to_string()).join("cache");
    let warm = BTreeMap::new();
    let cold = BTreeMap::from([("CACHE", cache.display().to_string())]);
    let mut table = times_table("compiled code");
    for (label, runs, variables) in [
        ("in the cache", options.warm_runs, warm),
        ("made at start", options.cold_runs, cold),
    ] {
        let mut times = Vec::new();
        for _ in 0..runs {
            let mut plan = Plan::new(&stage, port);
            plan.variables = variables.clone().into_iter().collect();
            let mut server = Server::start(plan)?;
            let answered = server.wait_for(PAGE)?;
            times.push(milliseconds(answered - server.begin));
        }
        table.row(times_row(label, &times));
    }
    println!(
        "Milliseconds from starting httpd to the first answer of `{PAGE}`; {} cores.\n\n{table}",
        available_parallelism()?
    );
    Ok(())
}

/// A table of rows that [`times_row`] makes.
pub(crate) fn times_table(what: &str) -> Table {
    Table::new(1, &[what, "starts", "fastest", "median", "slowest"])
}

/// Times in milliseconds.
pub(crate) fn times_row(label: &str, times: &[f64]) -> Vec<String> {
    let spread = Spread::of(times);
    let mut cells = vec![label.to_owned(), times.len().to_string()];
    cells.extend([spread.low, spread.middle, spread.high].map(|time| format!("{time:.0}")));
    cells
}
