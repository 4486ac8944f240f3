//! Validates and compiles WebAssembly modules for mod_wasm. The web server starts it when its configuration is checked;
//! administrators and image builds use it to fill a cache beforehand.

use clap::{Args, Parser};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use wasm_runtime::artifact::{Cache, Findings, append_facts};
use wasm_runtime::engine::settings::Target;
use wasm_runtime::error::{Error, Result};
use wasm_runtime::precompile::{
    Compiler, EXIT_INVALID_MODULE, Surroundings, become_user, limit_this_process,
};
use wasm_runtime::run::Mount;

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

    #[command(flatten)]
    initialize: Initialize,

    /// The machine to compile for
    #[arg(long, value_enum, default_value_t = Target::Native)]
    target: Target,

    /// WebAssembly modules (core modules, WASI preview 1); "-" is standard input
    #[arg(value_name = "MODULE", required = true)]
    modules: Vec<PathBuf>,
}

/// Runs a module's initialiser instead of compiling it, and writes a snapshot of what it led to.
#[derive(Args)]
struct Initialize {
    /// Call this exported function and write a snapshot: a new module that begins where it ended
    #[arg(long, value_name = "EXPORT", requires = "output")]
    initialize: Option<String>,

    /// A directory that the initialiser sees under the path GUEST, read-only
    #[arg(long, value_name = "GUEST=HOST", requires = "initialize")]
    mount: Vec<OsString>,

    /// A directory that programs may write to: no link in there leads to a mount
    #[arg(long, value_name = "HOST", requires = "initialize")]
    writable: Vec<OsString>,

    /// An environment variable of the initialiser
    #[arg(long, value_name = "NAME=VALUE", requires = "initialize")]
    env: Vec<OsString>,

    /// Milliseconds that it may take
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 60_000,
        requires = "initialize"
    )]
    timeout: u64,

    /// Bytes of memory that it may use
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20, requires = "initialize")]
    memory: u64,

    /// Become this user and give up the rights of root before anything is read: numbers of user, group, and all groups
    #[arg(long, value_name = "USER:GROUP:GROUP…", requires = "initialize")]
    user: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.output.is_some() && options.modules.len() > 1 {
        eprintln!("wasm-precompile: --output takes a single module");
        return ExitCode::from(2);
    }
    let done = match &options.initialize.initialize {
        Some(initializer) => snapshot(&options, initializer),
        None => run(&options),
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
    limit_this_process().map_err(|error| Error::Compile(format!("setrlimit: {error}")))?;
    let compiler = Compiler::new(options.target)?;
    let mut files = Vec::new();
    for module in &options.modules {
        files.push((module, read(module)?));
    }
    // All before the first is compiled: a mistake is not worth a wait.
    let mut checked = Vec::new();
    for (module, wasm) in &files {
        let found = compiler.check(wasm);
        checked.push((module, found.map_err(|error| named(module, error))?));
    }
    for (module, checked) in &checked {
        if options.check {
            tell(&checked.findings)?;
            continue;
        }
        let compiled = compiler.compile(checked);
        let (content, metadata) = compiled.map_err(|error| named(module, error))?;
        if let Some(directory) = &options.cache_dir {
            Cache::open(directory)?.save(&metadata, &mut Cursor::new(content))?;
            println!("{}: compiled", module.display());
        } else if let Some(output) = &options.output {
            write(output, &content)?;
        }
    }
    Ok(())
}

fn snapshot(options: &Options, initializer: &str) -> Result<()> {
    let given = &options.initialize;
    if let Some(user) = &given.user {
        become_user(user)?;
    }
    limit_this_process().map_err(|error| Error::Compile(format!("setrlimit: {error}")))?;
    let module = &options.modules[0];
    let wasm = read(module)?;
    let compiler = Compiler::new(options.target)?;
    let checked = compiler.check(&wasm)?;
    let around = Surroundings {
        mounts: given
            .mount
            .iter()
            .map(|text| mount(text))
            .collect::<Result<_>>()?,
        writable: given
            .writable
            .iter()
            .map(|host| host.as_bytes().to_vec())
            .collect(),
        env: given
            .env
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        time: Duration::from_millis(given.timeout),
        memory: given.memory,
    };
    let taken = compiler.snapshot(&checked, initializer, around);
    let (wasm, facts) = taken.map_err(|error| named(module, error))?;
    write(
        options.output.as_deref().unwrap_or(Path::new("-")),
        &append_facts(wasm, facts),
    )
}

fn mount(text: &OsStr) -> Result<Mount> {
    let bytes = text.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=');
    let wrong = Error::InvalidArgument("a mount is GUEST=HOST");
    let (guest, host) = bytes.split_at(equals.ok_or(wrong)?);
    Ok(Mount {
        guest: String::from_utf8_lossy(guest).into_owned(),
        host: host[1..].to_vec(),
        read_only: true,
    })
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

fn read(module: &Path) -> Result<Vec<u8>> {
    let content = if module == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut content)
            .map(|_| content)
    } else {
        std::fs::read(module)
    };
    content.map_err(|source| Error::Io {
        path: module.to_owned(),
        source,
    })
}

fn write(output: &Path, content: &[u8]) -> Result<()> {
    let written = if output == Path::new("-") {
        std::io::stdout().lock().write_all(content)
    } else {
        File::create(output).and_then(|mut file| file.write_all(content))
    };
    written.map_err(|source| Error::Io {
        path: output.to_owned(),
        source,
    })
}
