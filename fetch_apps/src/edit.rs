//! Changing one artifact in the text of the manifest, with its comments and layout left alone.

use toml_edit::{Array, DocumentMut, Item, RawString, Table, Value};

use crate::digest::Sha256;
use crate::manifest::Source;

/// What an artifact's entry shall say.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: Option<String>,
    pub(crate) sha256: Sha256,
    /// In bytes.
    pub(crate) size: u64,
    /// In the order of the present ones; `None` for one that is taken out.
    pub(crate) sources: Vec<Option<Source>>,
}

/// The manifest's text with this artifact pinned anew.
pub(crate) fn rewrite(text: &str, artifact: &str, pinned: &Pinned) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let table = table(&mut document, artifact)
        .ok_or_else(|| format!("there is no [[artifact]] with the name '{artifact}'"))?;
    set(table, "name", pinned.name.as_str());
    set(table, "version", pinned.version.as_str());
    if let Some(file) = &pinned.file {
        set(table, "file", file.as_str());
    }
    set(table, "sha256", pinned.sha256.to_string());
    set_size(table, pinned.size);
    let sources = table.get_mut("sources").and_then(Item::as_array_mut);
    let sources = sources.ok_or("its 'sources' are not written as a list")?;
    set_sources(sources, &pinned.sources)?;
    Ok(document.to_string())
}

fn table<'a>(document: &'a mut DocumentMut, artifact: &str) -> Option<&'a mut Table> {
    document
        .get_mut("artifact")?
        .as_array_of_tables_mut()?
        .iter_mut()
        .find(|table| table.get("name").and_then(Item::as_str) == Some(artifact))
}

/// Changes a value and keeps the spaces and the comment around it.
fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(place) => replace(place, value.into()),
        None => {
            table.insert(key, toml_edit::value(value));
        }
    }
}

fn replace(place: &mut Value, mut value: Value) {
    *value.decor_mut() = place.decor().clone();
    *place = value;
}

/// A size that was not there yet comes below the digest.
fn set_size(table: &mut Table, size: u64) {
    let is_new = !table.contains_key("size");
    // No file that can be downloaded comes near the end of the range.
    set(table, "size", i64::try_from(size).unwrap_or(i64::MAX));
    if !is_new {
        return;
    }
    let order: Vec<String> = table.iter().map(|(key, _)| key.to_string()).collect();
    let place = |key: &str| order.iter().position(|other| other == key);
    let rank = |key: &str| match key {
        "size" => (place("sha256"), 1),
        key => (place(key), 0),
    };
    table.sort_values_by(|one, _, other, _| rank(one.get()).cmp(&rank(other.get())));
}

fn set_sources(array: &mut Array, sources: &[Option<Source>]) -> Result<(), String> {
    for (index, source) in sources.iter().enumerate().rev() {
        let (key, text) = match source {
            None => {
                take_out(array, index);
                continue;
            }
            Some(Source::Https { url }) => ("url", url),
            Some(Source::Pypi { file, .. }) => ("file", file),
            Some(Source::Npm { .. }) => continue,
        };
        let place = array
            .get_mut(index)
            .and_then(Value::as_inline_table_mut)
            .and_then(|table| table.get_mut(key))
            .ok_or_else(|| format!("its source number {} has no '{key}'", index + 1))?;
        replace(place, text.as_str().into());
    }
    Ok(())
}

/// Takes an element out, with the comment behind it. What stands behind an element on its line, the parser puts before
/// the next one: so the comment of the element above moves on.
fn take_out(array: &mut Array, index: usize) {
    let removed = array.remove(index);
    let before = text(removed.decor().prefix());
    let Some((above, _)) = before.split_once('\n') else {
        return;
    };
    let joined = |follows: &str| {
        follows
            .split_once('\n')
            .map(|(_, rest)| format!("{above}\n{rest}"))
    };
    match array.get_mut(index) {
        Some(next) => {
            if let Some(prefix) = joined(&text(next.decor().prefix())) {
                next.decor_mut().set_prefix(prefix);
            }
        }
        None => {
            if let Some(trailing) = joined(&text(Some(array.trailing()))) {
                array.set_trailing(trailing);
            }
        }
    }
}

/// Spaces and comments. Nothing is lost by the default: the text was parsed from a document, so it is there.
fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# The head.

[tarball.t] # not touched
package =   "p"

# Before one.
[[artifact]]
name = "one-1.0"    # its name
about = "One 1.0"
version = "1.0"
# its digest
sha256 = "old"
unpack = "none"
file = 'one-1.0.bin'
sources = [
    # upstream
    { type = "https", url = "https://example.org/one-1.0.bin" }, # first
    { type = "npm", tarball = "t", member = "one" }, # second
]

[[artifact]]
name = "two"
size = 7
"#;

    const CHANGED: &str = r#"# The head.

[tarball.t] # not touched
package =   "p"

# Before one.
[[artifact]]
name = "one-2.0"    # its name
about = "One 1.0"
version = "2.0"
# its digest
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
size = 12
unpack = "none"
file = "one-2.0.bin"
sources = [
    # upstream
    { type = "https", url = "https://example.org/one-2.0.bin" }, # first
]

[[artifact]]
name = "two"
size = 7
"#;

    #[test]
    fn an_element_goes_with_its_own_comments_only() {
        let without = |index| {
            let text = "a = [\n    1, # one\n    # about two\n    2, # two\n    3, # three\n]\n";
            let mut document: DocumentMut = text.parse().unwrap();
            take_out(document["a"].as_array_mut().unwrap(), index);
            document.to_string()
        };
        assert_eq!(
            without(0),
            "a = [\n    # about two\n    2, # two\n    3, # three\n]\n"
        );
        assert_eq!(without(1), "a = [\n    1, # one\n    3, # three\n]\n");
        assert_eq!(
            without(2),
            "a = [\n    1, # one\n    # about two\n    2, # two\n]\n"
        );
    }

    #[test]
    fn comments_and_layout_stay() {
        let pinned = Pinned {
            name: "one-2.0".into(),
            version: "2.0".into(),
            file: Some("one-2.0.bin".into()),
            sha256: Sha256::of_reader(std::io::empty()).unwrap(),
            size: 12,
            sources: vec![
                Some(Source::Https {
                    url: "https://example.org/one-2.0.bin".into(),
                }),
                None,
            ],
        };
        assert_eq!(rewrite(TEXT, "one-1.0", &pinned).unwrap(), CHANGED);
        assert!(rewrite(TEXT, "three", &pinned).is_err());
    }
}
