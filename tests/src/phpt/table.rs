//! How many tests of each part of PHP are passed, beside native PHP.

use super::{Endings, Listed, file, passed};

/// The parts that are counted apart. A test that is run for a driver of PDO counts as one of the driver.
const PARTS: &str = "Zend ext/standard ext/date ext/pcre ext/spl ext/mbstring ext/json ext/dom ext/simplexml ext/xml ext/session ext/pdo_sqlite \
    ext/sqlite3 ext/zlib ext/gd ext/tokenizer ext/opcache ext/sodium";

/// One part.
#[derive(Default)]
pub struct Row {
    pub part: String,
    pub tests: usize,
    pub native: usize,
    pub ours: usize,
    /// Passed here of those that native PHP passes.
    pub both: usize,
}

impl Row {
    fn of(part: &str) -> Row {
        Row {
            part: part.to_owned(),
            ..Row::default()
        }
    }

    fn add(&mut self, ours: bool, native: bool) {
        self.tests += 1;
        self.native += usize::from(native);
        self.ours += usize::from(ours);
        self.both += usize::from(ours && native);
    }

    /// Passed here of those that native PHP passes, in percent.
    pub fn percent(&self) -> f64 {
        100.0 * self.both as f64 / self.native as f64
    }

    /// As a line of a table in Markdown.
    pub fn markdown(&self) -> String {
        let Row {
            part,
            tests,
            native,
            ours,
            both,
        } = self;
        format!(
            "| {part} | {tests} | {native} | {ours} | {both} | {:.1} % |",
            self.percent()
        )
    }
}

/// Where a test belongs.
fn part_of(name: &str) -> &'static str {
    let path = file(name);
    let of_driver = name != path && path.starts_with("ext/pdo/");
    let path = if of_driver { "ext/pdo_sqlite/" } else { path };
    let mut parts = PARTS.split_whitespace();
    parts
        .find(|part| path.starts_with(&format!("{part}/")))
        .unwrap_or("others")
}

/// The rows, and below them the sum of all.
pub fn table(endings: &Endings, native: &Listed) -> Vec<Row> {
    let names = PARTS.split_whitespace().chain(["others", "all"]);
    let mut rows: Vec<Row> = names.map(Row::of).collect();
    for (name, ending) in endings {
        let part = part_of(name);
        let row = |row: &&mut Row| row.part == part || row.part == "all";
        for row in rows.iter_mut().filter(row) {
            row.add(passed(ending), !native.contains_key(name.as_str()));
        }
    }
    rows
}
