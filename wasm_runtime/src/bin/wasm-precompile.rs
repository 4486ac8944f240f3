//! Validates and compiles WebAssembly modules for mod_wasm. The web server starts it when its configuration is checked;
//! administrators and image builds use it to fill a cache beforehand.

use clap::Parser;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasm_runtime::artifact::{
    Cache, Findings, Given, Order, append_facts, append_footer, read_snapshot,
};
use wasm_runtime::engine::settings::Target;
use wasm_runtime::error::{Error, Result};
use wasm_runtime::precompile::{
    Compiler, EXIT_INVALID_MODULE, become_user, end_with_parent, limit_size_of_files,
    limit_this_process,
};

/// Validate and compile WebAssembly modules for mod_wasm.
///
/// The server does this by itself whenever its configuration is checked or started. Use this program to fill its cache
/// beforehand (as the server would, WasmCacheDir) or only to check modules.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 success, 1 failure, 2 wrong use, 3 a module is at fault."
)]
struct Options {
    /// Put the compiled code into this directory, as WasmCacheDir names it
    #[arg(long, value_name = "DIR", required_unless_present_any = ["check", "output"])]
    cache_dir: Option<PathBuf>,

    /// Write the compiled code of a single module to this file; "-" is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "cache_dir")]
    output: Option<PathBuf>,

    /// Only check the modules; print what the server has to know about each, as a line of JSON
    #[arg(long, conflicts_with_all = ["cache_dir", "output"])]
    check: bool,

    /// Run a module's initialiser and write a snapshot. Used by the server: standard input is its order, as a line of JSON, and
    /// the module
    #[arg(long, requires = "output", conflicts_with = "modules")]
    initialize: bool,

    /// The module is a snapshot, which the name of a file *.snapshot says by itself. Used by the server
    #[arg(long)]
    snapshot: bool,

    /// The machine to compile for
    #[arg(long, value_enum, default_value_t = Target::Native)]
    target: Target,

    /// WebAssembly modules (core modules, WASI preview 1), or snapshots of them in a server's cache; "-" is standard input
    #[arg(value_name = "MODULE", required_unless_present = "initialize")]
    modules: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.output.is_some() && options.modules.len() > 1 {
        eprintln!("wasm-precompile: --output takes a single module");
        return ExitCode::from(2);
    }
    let done = match (&options.output, options.initialize) {
        (Some(output), true) => initialize(&options, output),
        _ => run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-precompile: {error}");
            match error {
                Error::Module(_) => ExitCode::from(EXIT_INVALID_MODULE as u8),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(options: &Options) -> Result<()> {
    limit_this_process()?;
    let compiler = Compiler::new(options.target)?;
    let mut files = Vec::new();
    for module in &options.modules {
        files.push((module, read(module)?));
    }
    // All before the first is compiled: a mistake is not worth a wait.
    let mut checked = Vec::new();
    for (module, (wasm, is_snapshot)) in &files {
        let mut found = compiler.check(wasm).map_err(|error| named(module, error))?;
        found.findings.key.snapshot = options.snapshot || *is_snapshot;
        checked.push((module, found));
    }
    for (module, checked) in &checked {
        if options.check {
            tell(&checked.findings)?;
            continue;
        }
        let compiled = compiler.compile(checked);
        let (code, metadata) = compiled.map_err(|error| named(module, error))?;
        if let Some(directory) = &options.cache_dir {
            Cache::open(directory)?.save(&metadata, &mut code.as_slice())?;
            println!("{}: compiled", module.display());
        } else if let Some(output) = &options.output {
            write(output, &append_footer(code, &metadata))?;
        }
    }
    Ok(())
}

/// The module is read, and its initialiser runs, without any right of root.
fn initialize(options: &Options, output: &Path) -> Result<()> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(unreadable)?;
    let order: Order = serde_json::from_slice(&line)
        .map_err(|error| Error::Compile(format!("no order on standard input: {error}")))?;
    if order.given.settings != Given::settings_of_this_build() {
        return Err(Error::Compile(
            "this program and the library that gave the order are of different builds".to_owned(),
        ));
    }
    become_user(&order.given.user)?;
    end_with_parent()?;
    limit_this_process()?;
    limit_size_of_files()?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm).map_err(unreadable)?;
    let compiler = Compiler::new(options.target)?;
    let (wasm, facts) = compiler.snapshot(&compiler.check(&wasm)?, &order)?;
    write(output, &append_facts(wasm, facts)?)
}

fn unreadable(source: io::Error) -> Error {
    Error::Io {
        path: "standard input".into(),
        source,
    }
}

fn named(module: &Path, error: Error) -> Error {
    match error {
        Error::Module(reason) => Error::Module(format!("{}: {reason}", module.display())),
        error => error,
    }
}

fn tell(findings: &Findings) -> Result<()> {
    let mut line = serde_json::to_vec(findings).expect("findings are plain data");
    line.push(b'\n');
    write(Path::new("-"), &line)
}

/// WebAssembly, and whether it is that of a snapshot file.
fn read(module: &Path) -> Result<(Vec<u8>, bool)> {
    let read = if module == Path::new("-") {
        let mut content = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut content);
        read.map(|_| (content, false))
    } else {
        read_file(module)
    };
    read.map_err(|source| Error::Io {
        path: module.to_owned(),
        source,
    })
}

fn read_file(module: &Path) -> io::Result<(Vec<u8>, bool)> {
    if module.extension().is_some_and(|it| it == "snapshot")
        && let Some(wasm) = read_snapshot(&mut File::open(module)?)?
    {
        return Ok((wasm, true));
    }
    Ok((std::fs::read(module)?, false))
}

fn write(output: &Path, content: &[u8]) -> Result<()> {
    let written = if output == Path::new("-") {
        io::stdout().lock().write_all(content)
    } else {
        File::create(output).and_then(|mut file| file.write_all(content))
    };
    written.map_err(|source| Error::Io {
        path: output.to_owned(),
        source,
    })
}
