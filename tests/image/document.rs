//! The project's documents, as far as tests run what they show.

use std::fs;

use mod_wasm_tests::root;

pub(crate) struct Document {
    name: String,
    text: String,
}

impl Document {
    /// A document by its path in the project.
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name))
            .unwrap_or_else(|error| panic!("cannot read {name}: {error}"));
        Self {
            name: name.to_owned(),
            text,
        }
    }

    /// The code blocks in this language, in their order.
    pub(crate) fn blocks(&self, language: &str) -> Vec<&str> {
        blocks(&self.text, language)
    }

    /// The first code block in this language after the given words.
    #[track_caller]
    pub(crate) fn block_after(&self, words: &str, language: &str) -> &str {
        let (_, rest) = self
            .text
            .split_once(words)
            .unwrap_or_else(|| panic!("{} does not say {words:?}", self.name));
        let found = blocks(rest, language);
        found
            .first()
            .unwrap_or_else(|| panic!("{} has no {language} block after {words:?}", self.name))
    }

    /// The cells of each row of the table with this header.
    #[track_caller]
    pub(crate) fn table(&self, header: &str) -> Vec<Vec<&str>> {
        let mut lines = self.text.lines().skip_while(|line| *line != header);
        assert!(
            lines.next().is_some(),
            "{} has no table {header:?}",
            self.name
        );
        // A line of dashes follows the header.
        lines
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }
}

fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("\n```{language}\n");
    text.split(opening.as_str())
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap_or(rest))
        .collect()
}
