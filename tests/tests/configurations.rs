//! The configurations that people run or copy: those of the demos and the image, and those in the documents.

use mod_wasm_tests::{Document, project_files, root};

/// A configuration, and where it stands.
struct Conf {
    place: String,
    lines: Vec<Vec<String>>,
}

impl Conf {
    fn new(place: &str, text: &str) -> Self {
        let lines = text.lines().map(|line| {
            let line = line.trim().trim_end_matches('>');
            let words = line.split_whitespace();
            words
                .map(|word| word.trim_matches('"').to_owned())
                .collect()
        });
        Self {
            place: place.to_owned(),
            lines: lines.collect(),
        }
    }

    /// The arguments of each line with one of these directives.
    fn arguments(&self, directives: &[&str]) -> Vec<&[String]> {
        let lines = self.lines.iter();
        lines
            .filter(|line| {
                line.first()
                    .is_some_and(|first| directives.contains(&first.as_str()))
            })
            .map(|line| &line[1..])
            .collect()
    }

    /// Folders that a program may write to.
    fn written(&self) -> Vec<&str> {
        let mounts = self.arguments(&["WasmDir", "WasmMapDir"]).into_iter();
        let writable = mounts.filter(|mount| mount.last().is_some_and(|mode| mode != "ro"));
        writable
            .filter_map(|mount| mount.iter().rfind(|word| *word != "rw"))
            .map(String::as_str)
            .collect()
    }

    /// Whether httpd gives visitors what is in this folder.
    fn serves(&self, folder: &str) -> bool {
        let roots = self.arguments(&["Alias", "AliasMatch", "DocumentRoot", "<Directory"]);
        roots
            .iter()
            .filter_map(|arguments| arguments.last())
            .map(|root| root.trim_end_matches('/'))
            .any(|root| folder == root || folder.starts_with(&format!("{root}/")))
    }

    /// The lines of the section for this very folder.
    fn section(&self, folder: &str) -> Vec<&[String]> {
        let lines = self.lines.iter();
        lines
            .skip_while(|line| line[..] != ["<Directory".to_owned(), folder.to_owned()])
            .skip(1)
            .take_while(|line| line[..] != ["</Directory".to_owned()])
            .map(Vec::as_slice)
            .collect()
    }
}

/// All of them; each block of a document is one.
fn configurations() -> Vec<Conf> {
    let mut found = Vec::new();
    for file in project_files(root()) {
        let document = || Document::read(&file);
        if file.ends_with(".conf") {
            found.push(Conf::new(&file, document().text()));
        } else if file.ends_with(".md") {
            let document = document();
            let blocks = document.code("apache").into_iter();
            found.extend(blocks.map(|block| Conf::new(&file, block)));
        }
    }
    assert!(found.len() > 20, "only {} were found", found.len());
    found
}

#[test]
fn a_served_folder_that_a_program_writes_to_has_the_lines_that_the_manual_demands() {
    let manual = Document::read("docs/security.md");
    let block = manual.code_after("## Served folders that a program writes to", "apache");
    let demanded = Conf::new("docs/security.md", block);
    let demanded = demanded.section("/var/lib/wordpress/uploads");
    assert_eq!(demanded.len(), 5, "{demanded:?}");
    let mut places = Vec::new();
    for conf in configurations() {
        for folder in conf.written() {
            if !conf.serves(folder) {
                continue;
            }
            let section = conf.section(folder);
            for line in &demanded {
                let place = &conf.place;
                assert!(section.contains(line), "{place}: {folder} has no {line:?}");
            }
            places.push(conf.place.clone());
        }
    }
    let guide = "docs/php-applications.md";
    let expected = ["README.md", "apps/wordpress/httpd.conf", guide, guide];
    assert_eq!(places, expected);
}

#[test]
fn programs_are_bound_to_the_end_of_a_name() {
    for conf in configurations() {
        for arguments in conf.arguments(&["AddHandler"]) {
            assert!(
                arguments[0] != "wasm-handler",
                "{}: AddHandler {arguments:?} takes photo.php.jpg for a program as well",
                conf.place
            );
        }
    }
}
