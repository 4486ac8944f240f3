//! The project's documents, as far as tests run or compare what they show.

use std::fs;
use std::path::Path;

use crate::paths::root;

pub struct Document {
    name: String,
    text: String,
}

/// A fenced block.
pub struct Block<'a> {
    /// Where its fence stands, counted from 1.
    pub line: usize,
    /// What stands behind the fence: a language, and what tests are told.
    pub words: Vec<&'a str>,
    /// Its lines, each with its end.
    pub text: &'a str,
}

impl Block<'_> {
    pub fn is(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

impl Document {
    /// A document by its path in the project.
    pub fn read(name: impl AsRef<Path>) -> Self {
        let name = name.as_ref().display().to_string();
        let text = fs::read_to_string(root().join(&name))
            .unwrap_or_else(|error| panic!("cannot read {name}: {error}"));
        Self { name, text }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// All fenced blocks, in their order.
    #[track_caller]
    pub fn blocks(&self) -> Vec<Block<'_>> {
        blocks(&self.text).unwrap_or_else(|| panic!("the last fence of {} is open", self.name))
    }

    /// The contents of the blocks in this language, in their order.
    #[track_caller]
    pub fn code(&self, language: &str) -> Vec<&str> {
        let blocks = self.blocks().into_iter();
        blocks
            .filter(|block| block.words.first() == Some(&language))
            .map(|block| block.text)
            .collect()
    }

    /// The first block in this language after the given words.
    #[track_caller]
    pub fn code_after(&self, words: &str, language: &str) -> &str {
        let (before, _) = self
            .text
            .split_once(words)
            .unwrap_or_else(|| panic!("{} does not say {words:?}", self.name));
        let line = before.lines().count();
        let mut blocks = self.blocks().into_iter();
        blocks
            .find(|block| block.line > line && block.words.first() == Some(&language))
            .unwrap_or_else(|| panic!("{} has no {language} block after {words:?}", self.name))
            .text
    }

    /// The cells of each row of the first table whose header's first cell is this; nothing where there is none.
    pub fn table(&self, first_cell: &str) -> Option<Vec<Vec<&str>>> {
        let header = format!("| {first_cell} |");
        let mut lines = self
            .text
            .lines()
            .skip_while(|line| !line.starts_with(&header));
        lines.next()?;
        // A line of dashes follows the header.
        let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
        Some(
            rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
                .collect(),
        )
    }
}

/// The fenced blocks of a page; nothing when the last one has no end.
fn blocks(page: &str) -> Option<Vec<Block<'_>>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, &str, usize)> = None;
    let mut at = 0;
    for (index, line) in page.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let Some(words) = line.strip_prefix("```") else {
            continue;
        };
        open = match open {
            None => Some((index + 1, words, at)),
            Some((line, words, from)) => {
                found.push(Block {
                    line,
                    words: words.split_whitespace().collect(),
                    text: &page[from..start],
                });
                None
            }
        };
    }
    open.is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn blocks_are_found_with_their_words_and_lines() {
        let page = "text\n```sh run\none\ntwo\n```\nmore\n```\n```\n";
        let found = blocks(page).expect("every fence has its end");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[0].text), (2, "one\ntwo\n"));
        assert_eq!(found[0].words, ["sh", "run"]);
        assert!(found[1].words.is_empty() && found[1].text.is_empty());
        assert!(blocks("```sh\n").is_none());
    }
}
