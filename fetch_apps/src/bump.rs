//! What an artifact becomes with another version, as far as that follows from its texts.

use crate::manifest::{Artifact, Source};

/// An artifact's entry with another version, before anything is known about the bytes.
#[derive(Debug)]
pub(crate) struct Bumped {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    /// In the order of the artifact's sources; `None` for one whose address does not tell the version.
    pub(crate) sources: Vec<Option<Source>>,
}

/// Puts the version into every text that holds the old one. The error says why this artifact has no such texts.
pub(crate) fn bump(artifact: &Artifact, version: &str) -> Result<Bumped, String> {
    if !artifact.add.is_empty() {
        return Err("what its 'add' merges belongs to the old version".into());
    }
    let with_version = |text: &str| replace_version(text, &artifact.version, version);
    let sources: Vec<_> = artifact
        .sources
        .iter()
        .map(|source| match source {
            Source::Https { url } => with_version(url).map(|url| Source::Https { url }),
            Source::Pypi { project, file } => with_version(file).map(|file| Source::Pypi {
                project: project.clone(),
                file,
            }),
            // A package's version is its own.
            Source::Npm { .. } => None,
        })
        .collect();
    if sources.iter().all(Option::is_none) {
        return Err(format!(
            "no source has the version {} in its address",
            artifact.version
        ));
    }
    Ok(Bumped {
        name: with_version(&artifact.name).unwrap_or_else(|| artifact.name.clone()),
        file: artifact
            .file
            .as_ref()
            .map(|file| with_version(file).unwrap_or_else(|| file.clone())),
        sources,
    })
}

/// A version as it may stand in an address.
pub(crate) fn is_version(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && version
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-' | '+'))
}

/// The text with another version, where it holds the old one: not as a part of a longer number.
fn replace_version(text: &str, old: &str, new: &str) -> Option<String> {
    let mut replaced = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        let whole = !continues_back(before) && !continues(after);
        found |= whole;
        replaced += before;
        replaced += if whole { new } else { old };
        rest = after;
    }
    found.then(|| replaced + rest)
}

fn continues_back(before: &str) -> bool {
    let mut back = before.chars().rev();
    match back.next() {
        Some('.') => back.next().is_some_and(|char| char.is_ascii_digit()),
        last => last.is_some_and(|char| char.is_ascii_digit()),
    }
}

fn continues(after: &str) -> bool {
    let mut after = after.chars();
    match after.next() {
        Some('.') => after.next().is_some_and(|char| char.is_ascii_digit()),
        first => first.is_some_and(|char| char.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_versions_are_replaced() {
        let replaced = |text| replace_version(text, "7.0", "8.1");
        assert_eq!(
            replaced("https://example.org/7.0/thing-7.0.tar.gz").unwrap(),
            "https://example.org/8.1/thing-8.1.tar.gz"
        );
        assert_eq!(
            replaced("php%2F7.0%2Bx 17.0 7.0").unwrap(),
            "php%2F8.1%2Bx 17.0 8.1"
        );
        for text in ["thing-7.0.1.zip", "17.0", "1.7.0", "7.01", "thing"] {
            assert_eq!(replaced(text), None, "{text}");
        }
    }

    #[test]
    fn versions_cannot_change_an_address() {
        assert!(is_version("8.2.0") && is_version("1.0-rc.1+x"));
        for version in ["", "../1", "1/2", "1?x", "1 2", "-1", "1#"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
