//! `targets`: code for this processor beside code for any of its architecture.

use std::path::Path;
use std::thread::available_parallelism;

use anyhow::{Result, ensure};

use crate::cli::Targets;
use crate::dirs::say;
use crate::load;
use crate::sample::milliseconds;
use crate::server::{Plan, Server};
use crate::stage;
use crate::stats::Spread;
use crate::table::{Table, figure, range};
use crate::work::{By, CASES, Case};

/// Native first: the ratio is baseline to native.
const TARGETS: [&str; 2] = ["native", "baseline"];

/// Path, and requests in a round: about half a second.
const PAGES: &[(&str, u32)] = &[
    ("/php-hello", 200),
    ("/wordpress/", 1),
    ("/hello-python", 15),
];

struct Page {
    case: &'static Case,
    requests: u32,
    /// Milliseconds of processor time for an answer, round by round, for each target.
    times: [Vec<f64>; 2],
}

pub(crate) fn run(options: &Targets) -> Result<()> {
    let stage = stage::prepare("demo")?;
    stage::install_wordpress(&stage, options.port.first)?;
    let servers = [
        serve(&stage, TARGETS[0], options.port.first)?,
        serve(&stage, TARGETS[1], options.port.first + 1)?,
    ];
    let mut pages = pages();
    for round in 0..options.rounds {
        say(&format!("round {} of {}", round + 1, options.rounds));
        for page in &mut pages {
            // The first one changes from round to round, so that both meet the same conditions.
            let first = usize::from(round % 2);
            for target in [first, 1 - first] {
                let time = processor_time(&servers[target], page)?;
                page.times[target].push(time);
            }
        }
    }
    println!(
        "{} cores, {} rounds, interleaved. Milliseconds of processor time for an answer:\n\n{}",
        available_parallelism()?,
        options.rounds,
        table(&pages)
    );
    Ok(())
}

fn pages() -> Vec<Page> {
    PAGES
        .iter()
        .filter_map(|&(path, requests)| {
            let case = CASES
                .iter()
                .find(|case| case.by == By::Demo && case.path == path)?;
            Some(Page {
                case,
                requests,
                times: [const { Vec::new() }; 2],
            })
        })
        .collect()
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

fn processor_time(server: &Server, page: &Page) -> Result<f64> {
    let before = server.group.processor_time()?;
    load::ask(server.address, page.case, page.requests)?;
    let used = server.group.processor_time()? - before;
    Ok(milliseconds(used) / f64::from(page.requests))
}

fn table(pages: &[Page]) -> Table {
    let mut table = Table::new(
        1,
        &[
            "what",
            "native",
            "baseline",
            "baseline : native",
            "half of the rounds",
        ],
    );
    for page in pages {
        let [native, baseline] = &page.times;
        let ratios: Vec<f64> = native
            .iter()
            .zip(baseline)
            .map(|(native, baseline)| baseline / native)
            .collect();
        let ratios = Spread::of_half(&ratios);
        let form = |value: f64| format!("{value:.2}");
        table.row(vec![
            page.case.what.to_owned(),
            figure(Spread::of(native).middle),
            figure(Spread::of(baseline).middle),
            form(ratios.middle),
            range(ratios, form),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_is_a_row_of_the_quick_measurement() {
        assert_eq!(pages().len(), PAGES.len());
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let mut pages = pages();
        pages.truncate(1);
        pages[0].times = [vec![1.0, 2.0, 4.0, 1.0], vec![1.1, 2.2, 4.4, 1.0]];
        let text = table(&pages).to_string();
        assert!(
            text.ends_with("| PHP hello | 1.50 | 1.65 | 1.10 | 1.00 – 1.10 |\n"),
            "{text}"
        );
    }
}
