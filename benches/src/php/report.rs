//! The tables of `php`: a row for each way, a column for each page; and what the project aims at.

use super::ways::{
    BENCH, FRONT, HELLO, IMAGE, MOD_PHP_FROM_SOURCE, MOD_PHP_OF_DEBIAN, PAGES, PREBUILT, SYMFONY,
    WARM, WAYS, WORKER,
};
use crate::sample::Sample;
use crate::stats::Spread;
use crate::table::{Table, figure};
use crate::work::Case;

/// A page of one way.
pub(super) struct Cell {
    /// The number of its way.
    pub(super) way: usize,
    pub(super) case: Case,
    pub(super) samples: Vec<Sample>,
}

type Of = fn(&Sample) -> f64;

const PROCESSOR: Of = |sample| sample.processor;
const RATE: Of = |sample| sample.rate;

impl Cell {
    fn spread(&self, of: Of) -> Spread {
        let figures: Vec<f64> = self.samples.iter().map(of).collect();
        Spread::of(&figures)
    }
}

/// All tables, each behind what it tells.
pub(super) fn tables(cells: &[Cell]) -> String {
    let processor = matrix(cells, |cell| figure(cell.spread(PROCESSOR).middle));
    let spreads = matrix(cells, |cell| {
        let spread = cell.spread(PROCESSOR);
        format!("{} – {}", figure(spread.low), figure(spread.high))
    });
    let rates = matrix(cells, |cell| figure(cell.spread(RATE).middle));
    let faults = matrix(cells, |cell| {
        figure(cell.spread(|sample| sample.faults).middle)
    });
    let targets = targets(cells);
    format!(
        "Milliseconds of processor time for a request:\n\n{processor}\n\
         Requests a second:\n\n{rates}\n\
         Processor time, lowest – highest:\n\n{spreads}\n\
         Page faults for a request, but for processes that end with it:\n\n{faults}\n\
         Targets:\n\n{targets}"
    )
}

fn matrix(cells: &[Cell], text: impl Fn(&Cell) -> String) -> Table {
    let columns: Vec<&str> = [""].iter().chain(PAGES).copied().collect();
    let mut table = Table::new(1, &columns);
    for (number, way) in WAYS.iter().enumerate() {
        let mut row = vec![way.name.to_owned()];
        row.extend(PAGES.iter().map(|&page| {
            find(cells, |cell| cell.way == number && cell.case.what == page)
                .map_or_else(|| "–".to_owned(), &text)
        }));
        if row[1..].iter().any(|cell| cell != "–") {
            table.row(row);
        }
    }
    table
}

fn find(cells: &[Cell], is: impl Fn(&Cell) -> bool) -> Option<&Cell> {
    cells.iter().find(|cell| is(cell))
}

/// Those of which everything was measured.
fn targets(cells: &[Cell]) -> Table {
    let of = |what: &str, how: &str, of: Of| {
        find(cells, |cell| cell.case.what == what && cell.case.how == how)
            .map(|cell| cell.spread(of).middle)
    };
    let processor = |what, how| of(what, how, PROCESSOR);
    let ratio = |what, how, other| Some(processor(what, how)? / processor(what, other)?);
    let rates = || Some(of(HELLO, WARM, RATE)? / of(HELLO, PREBUILT, RATE)?);
    let mut table = Table::new(1, &["target", "at most", "measured", "met"]);
    let mut add = |what: String, limit: f64, measured: Option<f64>| {
        let Some(measured) = measured else { return };
        let met = if measured <= limit { "yes" } else { "no" };
        table.row(vec![what, figure(limit), figure(measured), met.to_owned()]);
    };
    add(
        "hello, warm: ms of processor time".to_owned(),
        0.2,
        processor(HELLO, WARM),
    );
    add(
        "hello: requests/s, prebuilt : warm".to_owned(),
        1.0 / 20.0,
        rates().map(|ratio: f64| 1.0 / ratio),
    );
    for (what, how, limit) in [
        (SYMFONY, WORKER, 1.0),
        (BENCH, WARM, 2.5),
        (FRONT, WARM, 2.2),
        (FRONT, IMAGE, 2.2),
    ] {
        for other in [MOD_PHP_OF_DEBIAN, MOD_PHP_FROM_SOURCE] {
            add(
                format!("{what}: processor time, {how} : {other}"),
                limit,
                ratio(what, how, other),
            );
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::ways::chosen;
    use super::*;

    /// Each page of the named ways took as long and had this rate.
    fn cells(times: &[(&str, f64, f64)]) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (way, case) in chosen(&[]) {
            let Some(&(_, processor, rate)) = times.iter().find(|(how, ..)| *how == case.how)
            else {
                continue;
            };
            let samples = vec![Sample {
                processor,
                rate,
                p50: 1.0,
                p99: 1.0,
                faults: 1.0,
            }];
            cells.push(Cell { way, case, samples });
        }
        cells
    }

    #[test]
    fn what_was_not_measured_has_no_figure() {
        let text = matrix(&cells(&[(WORKER, 1.5, 1.0)]), |_| "1.50".to_owned()).to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.ends_with("| mod_wasm, worker | – | – | – | 1.50 | – | – |\n"),
            "{text}"
        );
    }

    #[test]
    fn targets_are_met_or_not() {
        let measured = [
            (PREBUILT, 2.0, 100.0),
            (WARM, 0.3, 2100.0),
            (WORKER, 0.9, 1.0),
            (MOD_PHP_FROM_SOURCE, 0.1, 1.0),
        ];
        let text = targets(&cells(&measured)).to_string();
        for line in [
            "| hello, warm: ms of processor time | 0.200 | 0.300 | no |",
            "| hello: requests/s, prebuilt : warm | 0.0500 | 0.0476 | yes |",
            "| Symfony page: processor time, mod_wasm, worker : 8.4.24, mod_php | 1.00 | 9.00 | no |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("Debian"), "{text}");
    }
}
