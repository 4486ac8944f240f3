//! Which sections of a configuration apply to a path, and what they come to: merged as the web server merges them.

use crate::dump::{Dump, Line, Section};
use crate::failure::Failure;
use crate::settings::{Settings, Snapshot};
use crate::values::{self, TmpDir};
use std::ffi::OsString;
use std::mem::discriminant;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use wasm_runtime::mounts::Place;
use wasm_runtime::run::Mount;

/// What a section applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope<'a> {
    /// All of its server.
    Server,
    Directory(&'a str),
    Location(&'a str),
}

/// The settings for a path, from what the module printed. `server` names a virtual host.
pub(crate) fn find(printed: &[u8], path: &str, server: Option<&str>) -> Result<Settings, Failure> {
    let dump = Dump::read(printed).ok_or_else(|| {
        Failure::own("the configuration does not load mod_wasm, or one of another version".into())
    })?;
    let mut settings = chosen(&dump, path, server)?;
    settings.cache_dir = dump.cache_dir.clone().map(path_of);
    settings.others = writable(&dump);
    Ok(settings)
}

fn chosen(dump: &Dump, path: &str, server: Option<&str>) -> Result<Settings, Failure> {
    let mut candidates: Vec<(usize, Settings, &[String])> = Vec::new();
    for names in servers(dump, server) {
        let own = dump
            .sections
            .iter()
            .filter(|section| section.names == names);
        let best = own
            .filter_map(|section| matching(section, path))
            .max_by_key(depth);
        if let Some(best) = best {
            let settings = merged(dump, names, best, path)?;
            if !settings.module.as_os_str().is_empty() {
                candidates.push((depth(&best), settings, names));
            }
        }
    }
    let deepest = candidates.iter().map(|candidate| candidate.0).max();
    candidates.retain(|candidate| Some(candidate.0) == deepest);
    let Some((_, settings, _)) = candidates.pop() else {
        return Err(none(dump, path));
    };
    if candidates.iter().all(|candidate| candidate.1 == settings) {
        return Ok(settings);
    }
    Err(Failure::own(format!(
        "{path}: several virtual hosts have a section for it, choose one with --server: {}",
        known(dump)
    )))
}

/// The servers that may be meant, each by its names: all, or the one with this name.
fn servers<'a>(dump: &'a Dump, wanted: Option<&str>) -> Vec<&'a [String]> {
    let mut servers: Vec<&[String]> = Vec::new();
    for section in &dump.sections {
        let is_wanted = |wanted| {
            section
                .names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let names = section.names.as_slice();
        if wanted.is_none_or(is_wanted) && !servers.contains(&names) {
            servers.push(names);
        }
    }
    servers
}

/// What a section applies to, if this can be told from the configuration alone.
fn scope(section: &Section) -> Option<Scope<'_>> {
    let [(kind, argument)] = section.blocks.as_slice() else {
        return section.blocks.is_empty().then_some(Scope::Server);
    };
    if !argument.starts_with('/') || argument.contains(['*', '?', '[']) {
        return None;
    }
    let path = argument.trim_end_matches('/');
    match kind.to_ascii_lowercase().as_str() {
        "location" => Some(Scope::Location(path)),
        "directory" => Some(Scope::Directory(path)),
        _ => None,
    }
}

/// The same, if the section applies to this path.
fn matching<'a>(section: &'a Section, path: &str) -> Option<Scope<'a>> {
    let scope = scope(section)?;
    let rest = match scope {
        Scope::Server => return Some(scope),
        Scope::Directory(above) | Scope::Location(above) => path.strip_prefix(above)?,
    };
    (rest.is_empty() || rest.starts_with('/')).then_some(scope)
}

/// How much of a path a section names.
fn depth(scope: &Scope<'_>) -> usize {
    match scope {
        Scope::Server => 0,
        Scope::Directory(path) | Scope::Location(path) => path.len() + 1,
    }
}

/// What all sections of a server that apply come to, the main server's among them. Directories and locations are worlds apart: the
/// best match says which counts.
fn merged(dump: &Dump, names: &[String], best: Scope<'_>, path: &str) -> Result<Settings, Failure> {
    let mut applied: Vec<(Scope<'_>, &Section)> = Vec::new();
    for server in [&[][..], names]
        .into_iter()
        .take(1 + usize::from(!names.is_empty()))
    {
        let own = dump
            .sections
            .iter()
            .filter(|section| section.names == server);
        applied.extend(own.filter_map(|section| Some((matching(section, path)?, section))));
    }
    applied
        .retain(|(scope, _)| *scope == Scope::Server || discriminant(scope) == discriminant(&best));
    // Directories from the outside in; locations as they are written.
    applied.sort_by_key(|(scope, _)| match scope {
        Scope::Server => 0,
        Scope::Location(_) => 1,
        Scope::Directory(path) => 1 + path.len(),
    });
    let mut settings = Settings::of_section();
    for (_, section) in applied {
        apply(&mut settings, section)?;
    }
    settings.hide_mount();
    Ok(settings)
}

fn apply(settings: &mut Settings, section: &Section) -> Result<(), Failure> {
    if section.lines.iter().any(|line| line[0] == b"WasmArg") {
        settings.args.clear();
    }
    for line in &section.lines {
        set(settings, line).map_err(|cause| {
            let name = String::from_utf8_lossy(&line[0]);
            Failure::own(format!("{name} of the configuration: {cause}"))
        })?;
    }
    Ok(())
}

fn set(settings: &mut Settings, line: &Line) -> Result<(), String> {
    let word = |index: usize| line.get(index).cloned().unwrap_or_default();
    let text = |index: usize| String::from_utf8(word(index)).map_err(|error| error.to_string());
    match line[0].as_slice() {
        b"WasmModule" => {
            settings.module = path_of(word(1));
            settings.digest = None;
        }
        b"WasmModuleDigest" => {
            settings.digest = text(1)?.strip_prefix("sha256:").map(str::to_owned);
        }
        b"WasmPreinit" => settings.snapshot = snapshot(&word(1)),
        b"WasmPreinitEnv" => settings.set_preinit_variable(word(1), word(2)),
        b"WasmPreinitTimeout" => settings.preinit_timeout = Some(values::duration(&text(1)?)?),
        b"WasmEntryPoint" => settings.entry_point = Some(text(1)?),
        b"WasmArg" => settings.args.push(word(1)),
        b"WasmEnv" => settings.set_variable(word(1), word(2)),
        b"WasmMapDir" => settings.set_mount(Mount {
            guest: text(1)?,
            host: word(2),
            read_only: word(3) == b"ro",
        }),
        b"WasmTmpDir" => settings.tmp_dir = tmp_dir(&text(1)?, &text(2)?)?,
        b"WasmMemoryLimit" => settings.memory = Some(values::memory(&text(1)?)?),
        b"WasmWriteLimit" => settings.write_limit = limit(&text(1)?)?,
        b"WasmFileLimit" => settings.file_limit = text(1)?.parse().ok(),
        b"WasmAllowSymlinks" => settings.allow_symlinks = word(1) == b"On",
        _ => {}
    }
    Ok(())
}

fn snapshot(word: &[u8]) -> Snapshot {
    match word {
        b"Off" => Snapshot::Never,
        b"On" => Snapshot::Required,
        _ => Snapshot::Cached,
    }
}

/// A guest path and a size, or `Off`.
fn tmp_dir(guest: &str, size: &str) -> Result<Option<TmpDir>, String> {
    if guest == "Off" {
        return Ok(None);
    }
    Ok(Some(TmpDir {
        guest: guest.to_owned(),
        size: values::file_space(size)?,
    }))
}

/// Bytes, or `Off` for no limit.
fn limit(text: &str) -> Result<Option<u64>, String> {
    match text {
        "Off" => Ok(None),
        text => values::bytes(text).map(Some),
    }
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// What programs of the web server may write to.
fn writable(dump: &Dump) -> Vec<Place> {
    let lines = dump.sections.iter().flat_map(|section| &section.lines);
    let mounts = lines.filter(|line| line[0] == b"WasmMapDir" && line.len() == 4);
    mounts
        .filter(|line| line[3] != b"ro")
        .map(|line| Place {
            host: line[2].clone(),
            read_only: false,
        })
        .collect()
}

fn none(dump: &Dump, path: &str) -> Failure {
    Failure::own(format!(
        "{path}: no section of the configuration has a program for it; these have one: {}",
        known(dump)
    ))
}

/// The sections that can be named.
fn known(dump: &Dump) -> String {
    let sections = dump.sections.iter().filter(|section| {
        let mut names = section.lines.iter().map(|line| &line[0]);
        names.any(|name| name == b"WasmModule")
    });
    let mut texts: Vec<String> = sections
        .filter_map(|section| {
            let what = match scope(section)? {
                Scope::Server => "/".to_owned(),
                Scope::Directory(path) => format!("<Directory {path}/>"),
                Scope::Location(path) => format!("<Location {path}/>"),
            };
            let server = section.names.first();
            Some(server.map_or(what.clone(), |server| format!("{what} of {server}")))
        })
        .collect();
    if texts.is_empty() {
        texts.push("none".to_owned());
    }
    texts.join(", ")
}
