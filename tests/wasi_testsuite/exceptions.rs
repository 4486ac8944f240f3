//! Programs of the suite that fail here by design, and why.

/// Programs of which one reason holds: `language/name`.
struct Exceptions {
    reason: &'static str,
    names: &'static [&'static str],
}

const ALL: &[Exceptions] = &[Exceptions {
    reason: "httpd's configuration cannot hold a line break in a value",
    names: &["assemblyscript/environ_get-multiple-variables"],
}];

pub(crate) fn reason(name: &str) -> Option<&'static str> {
    let listed = ALL.iter().find(|listed| listed.names.contains(&name))?;
    Some(listed.reason)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|listed| listed.names).copied()
}
