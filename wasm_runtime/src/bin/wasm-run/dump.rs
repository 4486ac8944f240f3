//! What the web server's module prints for `DUMP_WASM`: blocks of lines of words.

/// A configuration, as far as it is of interest here.
#[derive(Debug, Default)]
pub(crate) struct Dump {
    pub(crate) cache_dir: Option<Vec<u8>>,
    pub(crate) sections: Vec<Section>,
}

/// A section: where it is, and what was set there.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// Names of its virtual host; none in the main server.
    pub(crate) names: Vec<String>,
    /// Kinds and arguments of the blocks around it, the outermost first.
    pub(crate) blocks: Vec<(String, String)>,
    pub(crate) lines: Vec<Line>,
}

/// A directive and its arguments.
pub(crate) type Line = Vec<Vec<u8>>;

impl Dump {
    /// Reads what was printed; `None` when nothing of it is a dump.
    pub(crate) fn read(printed: &[u8]) -> Option<Self> {
        let mut lines = printed.split(|byte| *byte == b'\n').map(words);
        lines.find(|(_, words)| words.first().is_some_and(|word| word == b"mod_wasm"))?;
        let mut dump = Dump::default();
        let mut in_section = false;
        for (is_indented, line) in lines {
            let Some(name) = line.first() else {
                continue;
            };
            if !is_indented {
                in_section = name == b"Section";
                dump.sections.extend(in_section.then(Section::default));
                continue;
            }
            if let Some(section) = dump.sections.last_mut().filter(|_| in_section) {
                section.add(line);
            } else if name.strip_prefix(b"#").unwrap_or(name) == b"WasmCacheDir" {
                dump.cache_dir = line.get(1).cloned();
            }
        }
        Some(dump)
    }
}

impl Section {
    /// What is commented out was not set here.
    fn add(&mut self, line: Line) {
        let text = |index: usize| {
            let word = line.get(index).map_or(&b""[..], Vec::as_slice);
            String::from_utf8_lossy(word).into_owned()
        };
        match line[0].as_slice() {
            b"ServerName" | b"ServerAlias" => self.names.push(text(1)),
            b"In" if text(1) == "VirtualHost" => self.names.push(text(2)),
            b"In" => self.blocks.push((text(1), text(2))),
            [b'#', ..] => {}
            _ => self.lines.push(line),
        }
    }
}

/// The words of a line, and whether it is indented.
fn words(line: &[u8]) -> (bool, Line) {
    let is_indented = line.starts_with(b" ");
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = word(rest);
        words.push(word);
        rest = after.trim_ascii_start();
    }
    (is_indented, words)
}

fn word(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| *byte == b' ');
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        return (word.to_vec(), rest);
    };
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [] => return (word, rest),
            [b'"', rest @ ..] => return (word, rest),
            [b'\\', b'x', high, low, rest @ ..] => {
                word.push(byte_of(*high, *low));
                rest
            }
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                word.push(*byte);
                rest
            }
        };
    }
}

fn byte_of(high: u8, low: u8) -> u8 {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
    digit(high) << 4 | digit(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_have_what_was_set_in_them() {
        let printed = b"before\n    WasmEnv no no\nmod_wasm 1.0\n    #WasmCacheDir /cache\nProgram /x\n    Size 1\n\
            Section /httpd.conf:1\n    ServerName a\n    In VirtualHost *:80\n    In Location \"/x y\"\n    \
            WasmEnv A \"\"\n    #WasmTimeout 60\n    WasmArg \"a \\\"\\\\\\x0a\xff\"\nafter all\n    WasmEnv no no\n";
        let dump = Dump::read(printed).unwrap();
        assert_eq!(dump.cache_dir.as_deref(), Some(&b"/cache"[..]));
        let [section] = dump.sections.as_slice() else {
            panic!("{dump:?}");
        };
        assert_eq!(section.names, ["a", "*:80"]);
        assert_eq!(section.blocks, [("Location".into(), "/x y".into())]);
        let env: Line = vec![b"WasmEnv".to_vec(), b"A".to_vec(), Vec::new()];
        let arg: Line = vec![b"WasmArg".to_vec(), b"a \"\\\n\xff".to_vec()];
        assert_eq!(section.lines, [env, arg]);
    }

    #[test]
    fn what_is_no_dump_is_told_apart() {
        assert!(Dump::read(b"").is_none());
        assert!(Dump::read(b"Syntax OK\n").is_none());
        assert!(Dump::read(b"mod_wasm 1.0\n").is_some());
    }
}
