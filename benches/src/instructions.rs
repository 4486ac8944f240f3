//! How many instructions a request executes in user space: counted by callgrind, where a difference of 1 % shows.
//!
//! Counted is what a thread does from a request's arrival to its end. One httpd is asked a few times, another more often;
//! the difference belongs to the requests in between, and what happens once belongs to neither.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::load;
use crate::server::{HTTPD, Plan, Server};
use crate::stage;
use crate::work::Case;

/// httpd's function that answers a request.
const COUNTED: &str = "ap_process_async_request";
const FEW: u32 = 20;
const MANY: u32 = 120;

/// The demos without an interpreter: only they are counted, and valgrind is slow.
const APPS: &[&str] = &["landing", "hello-wasm", "bench-hello-c"];

pub(crate) fn is_counted(case: &Case) -> bool {
    matches!(case.path, "/bench/hello-c" | "/hello-wasm")
}

/// A copy of the stage's part that is needed. The programs are compiled for any processor: valgrind does not know the
/// newest instructions.
pub(crate) fn prepare(from: &Path, name: &str) -> Result<PathBuf> {
    let target = from.with_file_name(name);
    stage::remove(&target)?;
    for folder in ["conf", "run", "apps"] {
        fs::create_dir_all(target.join(folder))?;
    }
    for part in ["httpd.conf", "modules", "guests"] {
        stage::copy(&from.join(part), &target.join(part))?;
    }
    for app in APPS {
        let app = Path::new("apps").join(app);
        stage::copy(&from.join(&app), &target.join(&app))?;
    }
    stage::compile(&target, &target.join("cache"), "baseline")?;
    Ok(target)
}

/// Instructions for a request.
pub(crate) fn per_request(stage: &Path, port: u16, case: &Case) -> Result<f64> {
    let few = count(stage, port, case, FEW)?;
    let many = count(stage, port, case, MANY)?;
    Ok((many - few) / f64::from(MANY - FEW))
}

fn count(stage: &Path, port: u16, case: &Case, requests: u32) -> Result<f64> {
    let folder = stage.join("run").join(port.to_string());
    let mut plan = Plan::new(stage, port);
    plan.httpd = vec![
        "/usr/bin/valgrind".to_owned(),
        "--quiet".to_owned(),
        "--tool=callgrind".to_owned(),
        format!("--toggle-collect={COUNTED}"),
        format!("--callgrind-out-file={}/callgrind.out", folder.display()),
        HTTPD.to_owned(),
        "-X".to_owned(),
    ];
    // valgrind has no room for the pool of a whole server.
    plan.variables = vec![
        ("MOD_WASM_INSTANCES", "1".to_owned()),
        ("MOD_WASM_THREADS", "4".to_owned()),
    ];
    let mut server = Server::start(plan)?;
    server.wait_for("/style.css")?;
    load::ask(&server, case, requests)?;
    server.stop();
    let log = server.log();
    if log.contains("WASM00") {
        bail!("what is counted is not what is served: {log}");
    }
    let written = folder.join("callgrind.out");
    let text = fs::read_to_string(&written)
        .with_context(|| format!("valgrind wrote no {}", written.display()))?;
    totals(&text).context("callgrind counted nothing")
}

fn totals(text: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix("totals: "))?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::CASES;

    #[test]
    fn the_file_ends_with_totals() {
        assert_eq!(
            totals("events: Ir\nfn=(1)\n0 17\n\ntotals: 23773554\n"),
            Some(23_773_554.0)
        );
        assert_eq!(totals("events: Ir\n"), None);
    }

    #[test]
    fn hello_is_counted_in_c_and_in_rust() {
        let counted: Vec<String> = CASES
            .iter()
            .filter(|case| is_counted(case))
            .map(Case::label)
            .collect();
        assert_eq!(counted, ["hello in C, mod_wasm", "hello in Rust, mod_wasm"]);
    }
}
