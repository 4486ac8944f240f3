//! The texts that `--help` and the man page share.

/// Command lines and what they do.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    ("fetch-apps", "Fetch what the demos need."),
    (
        "fetch-apps wordpress-6.5.5 python-3.11.3",
        "Fetch these, by the names that --list shows.",
    ),
    (
        "fetch-apps --list",
        "Show what there is, and what is here already.",
    ),
    (
        "fetch-apps --verify",
        "Read everything that is here again and check it.",
    ),
    (
        "fetch-apps --offline --mirror /mnt/fetched",
        "Fetch without a network, from a copy of the .cache folder of another machine.",
    ),
    (
        "fetch-apps --json --quiet",
        "Tell a program what happens: one JSON object on each line.",
    ),
    (
        "fetch-apps pin pygments --version 2.22.0",
        "Pin another version in the manifest, after showing what changes and asking.",
    ),
];

pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "NPM_CONFIG_REGISTRY",
        "The npm registry or mirror. Without it an installed npm is asked.",
    ),
    (
        "PIP_INDEX_URL",
        "The Python package index or mirror. Without it an installed pip is asked.",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        "The proxies to use, and for which servers to use none.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "Certificates to trust instead of the system's.",
    ),
];

pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "apps/apps.toml",
        "The manifest: what can be fetched, from where, with which digest.",
    ),
    (
        "DIR/NAME/",
        "An artifact, unpacked; DIR is the folder of --into. What others put there stays, unless --force is given.",
    ),
    (
        "DIR/NAME/.ht-fetched.sha256",
        "The digests of its files; sha256sum --quiet -c reads it too.",
    ),
    (
        "DIR/.cache/",
        "Verified downloads, named by digest. Remove the folder to get the space back; copy it to make a mirror.",
    ),
];

pub(crate) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "All is well."),
    (
        "1",
        "Something failed; the other artifacts have been fetched nevertheless.",
    ),
    ("2", "The command line is wrong."),
];

/// What stands below the options.
pub(crate) fn after_options() -> String {
    let sections = [
        ("Examples", EXAMPLES),
        ("Environment", ENVIRONMENT),
        ("Files", FILES),
        ("Exit status", EXIT_STATUS),
    ];
    let sections = sections.map(|(title, entries)| {
        let entries = entries
            .iter()
            .map(|(term, text)| format!("\n  {term}\n      {text}"));
        format!("{title}:{}", entries.collect::<String>())
    });
    sections.join("\n\n")
}
