//! What the user sees: results on stdout, progress on stderr.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr, stdout};

/// Where and how much is told.
pub(crate) struct Report {
    quiet: bool,
    terminal: bool,
}

impl Report {
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            terminal: stderr().is_terminal(),
        }
    }

    /// A result.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            print(&format!("{line}\n"));
        }
    }

    /// What is going on meanwhile.
    pub(crate) fn detail(&self, line: &str) {
        if !self.quiet {
            eprintln!("  {line}");
        }
    }

    /// Starts to show the progress of one download.
    pub(crate) fn meter(&self, label: &str, total: Option<u64>) -> Meter<'_> {
        let size = total
            .map(|total| format!(" ({})", human(total)))
            .unwrap_or_default();
        self.detail(&format!("fetching {label}{size}"));
        Meter {
            report: self,
            total,
            done: 0,
            shown: Cell::new(None),
        }
    }
}

/// Prints to stdout. A reader that went away (`| head`) wants no more, which is no failure of ours.
pub(crate) fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// A line that counts the percents up on a terminal; silent elsewhere, so that logs stay readable.
pub(crate) struct Meter<'a> {
    report: &'a Report,
    total: Option<u64>,
    done: u64,
    shown: Cell<Option<u64>>,
}

impl Meter<'_> {
    pub(crate) fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        let Some(total) = self.total.filter(|total| *total > 0) else {
            return;
        };
        let percent = (self.done * 100 / total).min(100);
        if self.report.quiet
            || !self.report.terminal
            || self.shown.replace(Some(percent)) == Some(percent)
        {
            return;
        }
        eprint!(
            "\r  {percent:3} %  {} of {} ",
            human(self.done),
            human(total)
        );
        // A terminal that went away is no reason to stop.
        let _ = stderr().flush();
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        if self.shown.get().is_some() && self.report.terminal && !self.report.quiet {
            eprintln!();
        }
    }
}

/// A size as people read it, in decimal units.
pub(crate) fn human(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(
            [human(999), human(4_096), human(13_128_903)],
            ["999 B", "4.1 kB", "13.1 MB"]
        );
    }
}
