//! Pages asked of two servers in turn: what one of them needs for an answer beside the other.

use std::thread::available_parallelism;

use anyhow::Result;

use crate::dirs::say;
use crate::load;
use crate::sample::milliseconds;
use crate::server::Server;
use crate::stats::Spread;
use crate::table::{Table, figure, range};
use crate::work::{By, CASES, Case};

/// Path, and requests in a round.
pub(crate) type Paths = &'static [(&'static str, u32)];

/// Two servers that differ in one thing, and what each is called for it. The ratio is that of the second to the first.
pub(crate) struct Pair {
    pub(crate) names: [&'static str; 2],
    pub(crate) servers: [Server; 2],
}

struct Page {
    case: &'static Case,
    requests: u32,
    /// Milliseconds of processor time for an answer, round by round, of each server.
    times: [Vec<f64>; 2],
}

/// Measures, and prints a table.
pub(crate) fn measure(pair: &Pair, paths: Paths, rounds: u16) -> Result<()> {
    let mut pages = pages(paths);
    for round in 0..rounds {
        say(&format!("round {} of {rounds}", round + 1));
        for page in &mut pages {
            // The first one changes from round to round, so that both meet the same conditions.
            let first = usize::from(round % 2);
            for number in [first, 1 - first] {
                let time = processor_time(&pair.servers[number], page)?;
                page.times[number].push(time);
            }
        }
    }
    println!(
        "{} cores, {rounds} rounds, interleaved. Milliseconds of processor time for an answer:\n\n{}",
        available_parallelism()?,
        table(pair.names, &pages)
    );
    Ok(())
}

fn pages(paths: Paths) -> Vec<Page> {
    paths
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

fn processor_time(server: &Server, page: &Page) -> Result<f64> {
    let before = server.group.processor_time()?;
    load::ask(server, page.case, page.requests)?;
    let used = server.group.processor_time()? - before;
    Ok(milliseconds(used) / f64::from(page.requests))
}

fn table([first, second]: [&str; 2], pages: &[Page]) -> Table {
    let mut table = Table::new(
        1,
        &[
            "what",
            first,
            second,
            &format!("{second} : {first}"),
            "half of the rounds",
        ],
    );
    for page in pages {
        let [first, second] = &page.times;
        let ratios: Vec<f64> = first
            .iter()
            .zip(second)
            .map(|(first, second)| second / first)
            .collect();
        let ratios = Spread::of_half(&ratios);
        let form = |value: f64| format!("{value:.2}");
        table.row(vec![
            page.case.what.to_owned(),
            figure(Spread::of(first).middle),
            figure(Spread::of(second).middle),
            form(ratios.middle),
            range(ratios, form),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{interruption, targets};

    #[test]
    fn each_page_is_a_row_of_the_quick_measurement() {
        for paths in [targets::PAGES, interruption::PAGES] {
            assert_eq!(pages(paths).len(), paths.len());
        }
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let mut pages = pages(targets::PAGES);
        pages.truncate(1);
        pages[0].times = [vec![1.0, 2.0, 4.0, 1.0], vec![1.1, 2.2, 4.4, 1.0]];
        let text = table(["one", "other"], &pages).to_string();
        assert!(
            text.ends_with("| PHP hello | 1.50 | 1.65 | 1.10 | 1.00 – 1.10 |\n"),
            "{text}"
        );
    }
}
