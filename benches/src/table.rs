//! Markdown tables, and how figures are written in them.

use std::fmt;

use crate::stats::Spread;

/// Cells of the first `words` columns are words, the others are figures.
pub(crate) struct Table {
    words: usize,
    lines: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(words: usize, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self {
            words,
            lines: vec![columns],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.lines[0].len(), "a cell for each column");
        self.lines.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, cells) in self.lines.iter().enumerate() {
            writeln!(f, "| {} |", cells.join(" | "))?;
            if number == 0 {
                let words = "---|".repeat(self.words);
                writeln!(f, "|{words}{}", "---:|".repeat(cells.len() - self.words))?;
            }
        }
        Ok(())
    }
}

/// A figure with three digits that mean something, and no fraction from 100 on.
pub(crate) fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // The digits left of the point; 0 and below where there are none but zeros. Rounding may bring one more.
    let digits = value.abs().log10().floor() + 1.0;
    let fraction = (3.0 - digits).clamp(0.0, 9.0) as usize;
    format!("{value:.fraction$}")
}

/// What was not measured.
pub(crate) fn figure_if(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

/// "low – high" in the given form.
pub(crate) fn range(spread: Spread, form: impl Fn(f64) -> String) -> String {
    format!("{} – {}", form(spread.low), form(spread.high))
}

/// A ratio: three digits after the point, where 1 % counts.
pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_mean_something() {
        for (value, text) in [
            (0.0, "0"),
            (0.045_678, "0.0457"),
            (0.9999, "1.000"),
            (1.234, "1.23"),
            (45.67, "45.7"),
            (345.6, "346"),
            (17_847.4, "17847"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(figure_if(None), "–");
    }

    #[test]
    fn words_stand_left_and_figures_right() {
        let mut table = Table::new(1, &["what", "ms"]);
        table.row(vec!["hello".to_owned(), figure(1.5)]);
        assert_eq!(
            table.to_string(),
            "| what | ms |\n|---|---:|\n| hello | 1.50 |\n"
        );
    }

    #[test]
    fn a_range_names_both_ends() {
        assert_eq!(range(Spread::of(&[1.0, 0.5]), ratio), "0.500 – 1.000");
    }
}
