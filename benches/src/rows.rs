//! What was measured, row by row, and the tables of it.

use std::slice::ChunkByMut;

use anyhow::Result;

use crate::sample::Sample;
use crate::stats::Spread;
use crate::table::{Table, figure, figure_if, range, ratio};
use crate::work::Case;

/// One piece of work on one server.
pub(crate) struct Row {
    pub(crate) case: &'static Case,
    /// The number of its server.
    pub(crate) server: usize,
    pub(crate) samples: Vec<Sample>,
    pub(crate) system_calls: f64,
    pub(crate) instructions: Option<f64>,
}

impl Row {
    pub(crate) fn new(case: &'static Case, server: usize) -> Self {
        Self {
            case,
            server,
            samples: Vec::new(),
            system_calls: 0.0,
            instructions: None,
        }
    }

    fn spread(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        let figures: Vec<f64> = self.samples.iter().map(of).collect();
        Spread::of(&figures)
    }

    fn page_faults(&self) -> Option<f64> {
        (!self.case.processes_end).then(|| self.spread(|sample| sample.faults).middle)
    }

    fn names(&self) -> Vec<String> {
        vec![self.case.what.to_owned(), self.case.how.to_owned()]
    }
}

/// The same work on one server and, with another revision, on two: these rows follow each other.
pub(crate) fn pairs(rows: &mut [Row]) -> ChunkByMut<'_, Row, fn(&Row, &Row) -> bool> {
    rows.chunk_by_mut(same_work)
}

fn same_work(one: &Row, other: &Row) -> bool {
    std::ptr::eq(one.case, other.case)
}

/// Everything that was measured of these rows.
pub(crate) fn overview<'a>(rows: impl Iterator<Item = &'a Row>) -> Table {
    let columns = [
        "work",
        "how",
        "CPU ms",
        "lowest – highest",
        "requests/s",
        "lowest – highest",
        "p50 ms",
        "p99 ms",
        "page faults",
        "system calls",
    ];
    let mut table = Table::new(2, &columns);
    for row in rows {
        let processor = row.spread(|sample| sample.processor);
        let rate = row.spread(|sample| sample.rate);
        let mut cells = row.names();
        cells.extend([
            figure(processor.middle),
            range(processor, figure),
            figure(rate.middle),
            range(rate, figure),
            figure(row.spread(|sample| sample.p50).middle),
            figure(row.spread(|sample| sample.p99).middle),
            figure_if(row.page_faults()),
            figure(row.system_calls),
        ]);
        table.row(cells);
    }
    table
}

/// This revision as a ratio to the other: of two measurements that followed each other, pair by pair.
pub(crate) fn comparison(rows: &mut [Row], other: &str) -> Table {
    let columns = [
        "work".to_owned(),
        "how".to_owned(),
        format!("CPU : {other}"),
        "of the pairs".to_owned(),
        format!("requests/s : {other}"),
        "of the pairs".to_owned(),
        format!("page faults : {other}"),
        format!("system calls : {other}"),
    ];
    let mut table = Table::new(2, &columns.each_ref().map(String::as_str));
    for pair in pairs(rows) {
        let [this, other] = pair else { continue };
        let processor = ratios(this, other, |sample| sample.processor);
        let rate = ratios(this, other, |sample| sample.rate);
        let mut cells = this.names();
        cells.extend([
            ratio(processor.middle),
            range(processor, ratio),
            ratio(rate.middle),
            range(rate, ratio),
            beside(this.page_faults(), other.page_faults()),
            beside(Some(this.system_calls), Some(other.system_calls)),
        ]);
        table.row(cells);
    }
    table
}

fn ratios(this: &Row, other: &Row, of: impl Fn(&Sample) -> f64) -> Spread {
    let ratios: Vec<f64> = this
        .samples
        .iter()
        .zip(&other.samples)
        .map(|(this, other)| of(this) / of(other))
        .collect();
    Spread::of(&ratios)
}

fn beside(this: Option<f64>, other: Option<f64>) -> String {
    format!("{} : {}", figure_if(this), figure_if(other))
}

/// Instructions for a request, where they were counted.
pub(crate) fn instructions(rows: &mut [Row], other: Option<&str>) -> Table {
    let mut columns = vec![
        "work".to_owned(),
        "how".to_owned(),
        "instructions".to_owned(),
    ];
    if let Some(other) = other {
        columns.extend([other.to_owned(), format!("this : {other}")]);
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(2, &columns);
    for pair in pairs(rows) {
        let counts: Vec<f64> = pair.iter().filter_map(|row| row.instructions).collect();
        if counts.is_empty() {
            continue;
        }
        let mut cells = pair[0].names();
        cells.extend(counts.iter().copied().map(figure));
        if let [this, other] = counts[..] {
            cells.push(ratio(this / other));
        }
        table.row(cells);
    }
    table
}

/// Does something for each row, in pairs whose order changes from round to round.
pub(crate) fn in_turn(
    rows: &mut [Row],
    round: u16,
    mut act: impl FnMut(&mut Row) -> Result<()>,
) -> Result<()> {
    for pair in pairs(rows) {
        if round % 2 == 1 {
            pair.iter_mut().try_for_each(&mut act)?;
        } else {
            pair.iter_mut().rev().try_for_each(&mut act)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::CASES;

    fn row(case: usize, server: usize, figures: &[f64]) -> Row {
        let mut row = Row::new(&CASES[case], server);
        row.samples = figures
            .iter()
            .map(|&figure| Sample {
                processor: figure,
                rate: 1000.0 / figure,
                p50: figure,
                p99: figure * 2.0,
                faults: 3.0,
            })
            .collect();
        row.system_calls = 20.0;
        row
    }

    #[test]
    fn a_row_shows_medians_and_the_spread() {
        let rows = [row(0, 0, &[2.0, 1.0, 4.0])];
        let text = overview(rows.iter()).to_string();
        let last = text.lines().last().unwrap();
        assert_eq!(
            last,
            "| static file | httpd | 2.00 | 1.00 – 4.00 | 500 | 250 – 1000 | 2.00 | 4.00 | 3.00 | 20.0 |"
        );
    }

    #[test]
    fn page_faults_of_processes_that_have_gone_are_not_told() {
        let text = overview([row(1, 0, &[1.0])].iter()).to_string();
        assert!(
            text.lines().last().unwrap().ends_with("| – | 20.0 |"),
            "{text}"
        );
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine was busy in the second round: both took twice the time.
        let mut rows = [row(0, 0, &[1.0, 2.0, 1.1]), row(0, 1, &[2.0, 4.0, 2.0])];
        let text = comparison(&mut rows, "abc").to_string();
        assert!(
            text.contains(
                "| 0.500 | 0.500 – 0.550 | 2.000 | 1.818 – 2.000 | 3.00 : 3.00 | 20.0 : 20.0 |"
            ),
            "{text}"
        );
    }

    #[test]
    fn work_of_one_server_alone_has_no_ratio() {
        let mut rows = [row(0, 0, &[1.0]), row(1, 0, &[1.0])];
        assert_eq!(comparison(&mut rows, "abc").to_string().lines().count(), 2);
    }

    #[test]
    fn the_order_in_a_pair_changes_from_round_to_round() {
        let mut rows = [
            row(0, 0, &[]),
            row(0, 1, &[]),
            row(1, 0, &[]),
            row(1, 1, &[]),
        ];
        let mut order = Vec::new();
        for round in [1, 2] {
            in_turn(&mut rows, round, |row| {
                order.push(row.server);
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(order, [0, 1, 0, 1, 1, 0, 1, 0]);
    }

    #[test]
    fn instructions_are_compared_where_they_were_counted() {
        let mut rows = [row(0, 0, &[1.0]), row(2, 0, &[1.0]), row(2, 1, &[1.0])];
        rows[1].instructions = Some(101_000.0);
        rows[2].instructions = Some(100_000.0);
        let text = instructions(&mut rows, Some("abc")).to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.contains("| hello in C | mod_wasm | 101000 | 100000 | 1.010 |"),
            "{text}"
        );
    }
}
