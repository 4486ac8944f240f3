//! Prints the C header of the library: `make header` puts it into place, `make lint` compares.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = match cbindgen::Config::from_file(directory.join("cbindgen.toml")) {
        Ok(config) => with_version(config),
        Err(error) => return failed(&error),
    };
    let bindings = cbindgen::Builder::new()
        .with_crate(directory)
        .with_config(config)
        .generate();
    match bindings {
        Ok(bindings) => {
            bindings.write(std::io::stdout().lock());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.to_string()),
    }
}

/// The version stands once, in the workspace's `Cargo.toml`.
fn with_version(mut config: cbindgen::Config) -> cbindgen::Config {
    let version = env!("CARGO_PKG_VERSION");
    config.after_includes = Some(format!(
        "\n/* Version of this header; wrt_version() has to return the same. */\n#define WRT_VERSION \"{version}\"",
    ));
    config
}

fn failed(error: &str) -> ExitCode {
    eprintln!("generate-header: {error}");
    ExitCode::FAILURE
}
