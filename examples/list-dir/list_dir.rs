//! Lists the folder that its first argument names. It sees the folders that the server's configuration mounts
//! (`WasmDir`, `WasmMapDir`) and nothing else of the machine.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let folder = match env::args().nth(1) {
        Some(folder) => folder,
        None => {
            eprintln!("list_dir: no folder given: add `WasmArg <folder>` to the configuration");
            return ExitCode::from(2);
        }
    };
    match list(Path::new(&folder)) {
        Ok(lines) => {
            println!("Contents of {folder}:\n");
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("list_dir: cannot list {folder}: {error} (is it mounted by WasmDir or WasmMapDir?)");
            ExitCode::FAILURE
        }
    }
}

/// One line for each entry, sorted by name: size in bytes (a dash for a folder), then the name.
fn list(folder: &Path) -> io::Result<Vec<String>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    entries.iter().map(describe).collect()
}

fn describe(entry: &fs::DirEntry) -> io::Result<String> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let metadata = entry.metadata()?;
    if metadata.is_dir() {
        return Ok(format!("{:>10}  {}/", "-", name));
    }
    Ok(format!("{:>10}  {}", metadata.len(), name))
}
