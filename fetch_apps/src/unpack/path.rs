//! From an entry's name to a path that is safe to create.

use std::path::{Component, Path, PathBuf};

/// Deeper trees exist only to break tools.
const MAX_DEPTH: usize = 64;

/// Which entries of an archive are taken, and what they are called.
#[derive(Default)]
pub(crate) struct Selection<'a> {
    /// Only what lies below this folder; the folder itself is dropped from the path.
    pub(crate) prefix: Option<&'a str>,
    /// Leading components that are dropped.
    pub(crate) strip: usize,
    /// Resulting paths that are left out, with all below them.
    pub(crate) exclude: &'a [String],
}

impl Selection<'_> {
    /// The path inside the artifact's folder; `None` for entries that are not wanted.
    ///
    /// The whole name is checked first: an archive with a hostile entry is refused even if that entry is left out.
    pub(crate) fn place(&self, name: &[u8]) -> Result<Option<PathBuf>, String> {
        let whole = safe_relative(name)?;
        let below = match self.prefix {
            Some(prefix) => match whole.strip_prefix(prefix) {
                Ok(below) => below,
                Err(_) => return Ok(None),
            },
            None => &whole,
        };
        let path: PathBuf = below.components().skip(self.strip).collect();
        if path.as_os_str().is_empty()
            || self
                .exclude
                .iter()
                .any(|excluded| path.starts_with(excluded))
        {
            return Ok(None);
        }
        Ok(Some(path))
    }
}

/// Reads a name as a relative path of plain components; the reason when it is not one.
pub(super) fn safe_relative(name: &[u8]) -> Result<PathBuf, String> {
    let text = std::str::from_utf8(name).map_err(|_| "the name is not UTF-8")?;
    if text.is_empty() {
        return Err("the name is empty".into());
    }
    // Backslashes separate directories where some of these archives are made, and hide `..` from checks like this one.
    if text.contains(|char: char| char.is_control() || char == '\\') {
        return Err("the name holds a control character or a backslash".into());
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err("the name leads upwards ('..')".into()),
            Component::RootDir | Component::Prefix(_) => {
                return Err("the name is an absolute path".into());
            }
        }
    }
    if path.components().count() > MAX_DEPTH {
        return Err(format!("the name is more than {MAX_DEPTH} folders deep"));
    }
    Ok(path)
}

/// Whether a symbolic link at `link` may point to `target`: relative, and inside the same tree.
///
/// `..` is only allowed in front, where it is plain counting; behind a component that may itself be a link it is not.
pub(super) fn link_stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count() - 1;
    let mut descended = false;
    for component in target.components() {
        match component {
            Component::Normal(_) => descended = true,
            Component::CurDir => {}
            Component::ParentDir if !descended && depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_kept() {
        for (name, path) in [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("a/...", "a/..."),
            ("ä/x y", "ä/x y"),
        ] {
            assert_eq!(safe_relative(name.as_bytes()).unwrap(), Path::new(path));
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        let deep = "a/".repeat(65);
        let names: [&[u8]; 10] = [
            b"",
            b"/etc/passwd",
            b"..",
            b"a/../../b",
            b"a/..",
            b"a\\..\\b",
            b"a\0b",
            b"a\nb",
            b"\xff",
            deep.as_bytes(),
        ];
        for name in names {
            assert!(safe_relative(name).is_err(), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn selection_strips_filters_and_leaves_out() {
        let exclude = ["skip".to_string(), "a/file".to_string()];
        let stripped = Selection {
            strip: 1,
            exclude: &exclude,
            ..Selection::default()
        };
        let place =
            |selection: &Selection<'_>, name: &str| selection.place(name.as_bytes()).unwrap();
        assert_eq!(place(&stripped, "top/a/b"), Some("a/b".into()));
        assert_eq!(place(&stripped, "top/"), None);
        assert_eq!(place(&stripped, "top/skip/deep"), None);
        assert_eq!(place(&stripped, "top/skipped"), Some("skipped".into()));
        assert_eq!(place(&stripped, "top/a/file"), None);

        let below = Selection {
            prefix: Some("package/public"),
            ..Selection::default()
        };
        assert_eq!(place(&below, "package/public/x.css"), Some("x.css".into()));
        assert_eq!(place(&below, "package/publicity"), None);
        assert!(below.place(b"package/../x").is_err());
    }

    #[test]
    fn links_may_not_leave() {
        let inside =
            |link: &str, target: &str| link_stays_inside(Path::new(link), Path::new(target));
        assert!(inside("a", "b") && inside("d/a", "../b/c") && inside("a", "./b"));
        for (link, target) in [
            ("a", "/etc"),
            ("a", ".."),
            ("d/a", "../../b"),
            ("d/a", "b/../c"),
            ("a", "b/.."),
        ] {
            assert!(!inside(link, target), "{link} -> {target}");
        }
    }
}
