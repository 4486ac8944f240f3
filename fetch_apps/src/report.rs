//! What the user sees: results on stdout; errors and progress on stderr, as bars where that is a terminal.
//!
//! fetch_apps/README.md documents the JSON: names and meanings are kept; new fields and events may come.

use std::io::{IsTerminal, Write, stderr, stdout};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::error::Error;

const BAR: &str = "  {percent:>3} % [{bar:24}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}  {wide_msg}";
/// For a server that does not tell how much is coming.
const SPINNER: &str = "  {spinner} {decimal_bytes}, {decimal_bytes_per_sec}  {wide_msg}";

/// Where and how much is told. Several threads may tell at the same time.
pub(crate) struct Report {
    quiet: bool,
    /// Results are events in JSON.
    json: bool,
    /// Only on a terminal. Whatever else is printed has to go through `above_bars`.
    bars: Option<MultiProgress>,
}

impl Report {
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        Self {
            quiet,
            json,
            bars: (!quiet && stderr().is_terminal()).then(MultiProgress::new),
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A result, or a step on the way to one: for programs, and for people where it stands for itself.
    pub(crate) fn tell(&self, event: &Value, text: Option<String>) {
        if self.json || !self.quiet {
            self.answer(event, text);
        }
    }

    /// What was asked for by name, so that it is printed even when quiet.
    pub(crate) fn answer(&self, event: &Value, text: Option<String>) {
        let line = match self.json {
            true => Some(event.to_string()),
            false => text,
        };
        if let Some(line) = line {
            self.above_bars(|| print(&format!("{line}\n")));
        }
    }

    /// What is going on meanwhile.
    pub(crate) fn detail(&self, line: &str) {
        if !self.quiet {
            self.above_bars(|| eprintln!("  {line}"));
        }
    }

    /// An artifact that failed, while the others go on.
    pub(crate) fn failure(&self, artifact: &str, error: &Error) {
        let error = error.to_string();
        self.above_bars(|| eprintln!("fetch-apps: {artifact}: {error}"));
        self.tell(
            &json!({ "event": "failed", "artifact": artifact, "error": error }),
            None,
        );
    }

    /// An error that ends the run.
    pub(crate) fn end(&self, error: &Error) {
        let error = error.to_string();
        eprintln!("fetch-apps: {error}");
        self.tell(&json!({ "event": "error", "error": error }), None);
    }

    /// Starts to show the progress of one download, of which `done` bytes are here already.
    pub(crate) fn meter(&self, label: &str, url: &str, total: Option<u64>, done: u64) -> Meter {
        let event =
            json!({ "event": "download", "label": label, "url": url, "size": total, "done": done });
        self.tell(&event, None);
        let Some(bars) = &self.bars else {
            let size = match (total, done) {
                (Some(total), 0) => format!(" ({})", human(total)),
                (Some(total), _) => format!(
                    " (the rest of {}: {})",
                    human(total),
                    human(total.saturating_sub(done))
                ),
                (None, _) => String::new(),
            };
            self.detail(&format!("fetching {label}{size}"));
            return Meter { bar: None };
        };
        let bar = bars.add(ProgressBar::no_length());
        if let Some(total) = total {
            bar.set_length(total);
        }
        let template = if total.is_some() { BAR } else { SPINNER };
        let style = ProgressStyle::with_template(template).expect("the template is a constant");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(label.to_string());
        bar.set_position(done);
        // Otherwise the speed would count what came earlier.
        bar.reset_eta();
        Meter { bar: Some(bar) }
    }

    fn above_bars(&self, print: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// A reader that went away (`| head`) wants no more, which is no failure of ours.
fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// The progress of one download. Where there is no terminal only its beginning is told, so that logs stay readable.
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
}

impl Meter {
    pub(crate) fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
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
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(
            [human(999), human(4_096), human(13_128_903)],
            ["999 B", "4.1 kB", "13.1 MB"]
        );
    }

    #[test]
    fn the_bars_have_sound_templates() {
        for template in [BAR, SPINNER] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
