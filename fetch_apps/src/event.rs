//! What can be reported about a run, for people and, with `--json`, for programs.
//!
//! fetch_apps/README.md documents the JSON: names and meanings are kept; new fields and events may come.

use std::path::Path;

use serde::Serialize;

use crate::digest::Sha256;
use crate::report::human;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A download begins, or goes on after `done` bytes.
    Download {
        label: &'a str,
        url: &'a str,
        size: Option<u64>,
        done: u64,
    },
    Fetched {
        artifact: &'a str,
        version: &'a str,
        source: &'a str,
        folder: &'a Path,
    },
    UpToDate {
        artifact: &'a str,
        version: &'a str,
        folder: &'a Path,
    },
    Verified {
        artifact: &'a str,
        files: usize,
        added: usize,
        source: &'a str,
    },
    Failed {
        artifact: &'a str,
        error: String,
    },
    Listed(Listed<'a>),
    /// What a new pin would change.
    Pin {
        artifact: &'a str,
        changes: Vec<Change>,
    },
    /// The manifest has this version; `changed` tells whether it was written just now.
    Pinned {
        artifact: &'a str,
        version: &'a str,
        changed: bool,
    },
    /// The last line of a run that fetched.
    #[serde(rename = "summary")]
    Fetches {
        fetched: Vec<&'a str>,
        up_to_date: Vec<&'a str>,
        failed: Vec<&'a str>,
    },
    /// The last line of a run that verified.
    #[serde(rename = "summary")]
    Verifications {
        verified: Vec<&'a str>,
        failed: Vec<&'a str>,
    },
    /// The run ended before it came to any artifact.
    Error {
        error: String,
    },
}

#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    pub(crate) artifact: &'a str,
    pub(crate) about: &'a str,
    pub(crate) version: &'a str,
    pub(crate) license: &'a str,
    pub(crate) default: bool,
    pub(crate) state: ListedState,
    /// Why it is out of date or damaged.
    pub(crate) reason: Option<String>,
    pub(crate) sha256: Sha256,
    pub(crate) size: Option<u64>,
    pub(crate) sources: Vec<String>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ListedState {
    Here,
    NotFetched,
    OutOfDate,
    Damaged,
}

impl Event<'_> {
    /// One line of JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("an event has string keys and finite numbers only")
    }

    /// The lines for people, where this is a result that stands for itself.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Fetched {
                artifact, source, ..
            } => Some(format!("{artifact}: fetched from {source}")),
            Self::Verified {
                artifact,
                files,
                added,
                source,
            } => {
                let added = match added {
                    0 => String::new(),
                    count => format!("; {count} added by others"),
                };
                Some(format!(
                    "{artifact}: {files} files are as fetched (from {source}){added}"
                ))
            }
            Self::Listed(listed) => Some(listed.text()),
            Self::Fetches { up_to_date, .. } if !up_to_date.is_empty() => {
                Some(format!("up to date: {}", up_to_date.join(", ")))
            }
            Self::Pin { artifact, changes } => {
                let lines = changes.iter().map(|change| format!("\n{}", change.text()));
                Some(format!("{artifact}:{}", lines.collect::<String>()))
            }
            Self::Pinned {
                artifact,
                version,
                changed,
            } => Some(match changed {
                true => format!("{artifact}: pinned to {version}"),
                false => format!("{artifact} is pinned to {version} already"),
            }),
            _ => None,
        }
    }
}

/// One value in the manifest; `None` where there is none before or after.
#[derive(Serialize)]
pub(crate) struct Change {
    pub(crate) field: &'static str,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

impl Change {
    pub(crate) fn new(field: &'static str, old: impl ToString, new: impl ToString) -> Self {
        Self {
            field,
            old: Some(old.to_string()),
            new: Some(new.to_string()),
        }
    }

    fn text(&self) -> String {
        let old = self.old.as_deref().unwrap_or("(none)");
        let new = self.new.as_deref().unwrap_or("(taken out)");
        format!("    {}\n      - {old}\n      + {new}", self.field)
    }
}

impl Listed<'_> {
    fn text(&self) -> String {
        let Self {
            artifact,
            about,
            version,
            license,
            ..
        } = self;
        let state = match self.state {
            ListedState::Here => "here",
            ListedState::NotFetched => "not fetched",
            ListedState::OutOfDate => "out of date",
            ListedState::Damaged => "damaged",
        };
        let reason = match &self.reason {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        };
        let default = if self.default { ", default" } else { "" };
        let size = match self.size {
            Some(size) => format!(", {}", human(size)),
            None => String::new(),
        };
        let mut text = format!(
            "{artifact}: {state}{reason}{default}\n    {about} (version {version}, {license}{size})"
        );
        for source in &self.sources {
            text += &format!("\n    from {source}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_as_documented() {
        let event = Event::UpToDate {
            artifact: "a",
            version: "1",
            folder: Path::new("x/a"),
        };
        assert_eq!(
            event.json(),
            r#"{"event":"up-to-date","artifact":"a","version":"1","folder":"x/a"}"#
        );
        let event = Event::Fetches {
            fetched: vec!["a"],
            up_to_date: vec![],
            failed: vec![],
        };
        assert_eq!(
            event.json(),
            r#"{"event":"summary","fetched":["a"],"up_to_date":[],"failed":[]}"#
        );
    }
}
