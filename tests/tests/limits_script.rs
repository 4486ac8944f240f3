//! How many runs and requests a server is given: what the kernel tells about its container, through `scripts/limits.sh`.

use std::fs;
use std::process::Command;

use mod_wasm_tests::root;
use tempfile::TempDir;

/// What `set_limits` makes of a folder of control groups that holds these files, or the sentence that it dies with.
fn limits(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<(u32, u32), String> {
    let folder = TempDir::new().expect("a temporary folder can be made");
    for (name, value) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("the folder is ours");
        fs::write(path, format!("{value}\n")).expect("the folder is ours");
    }
    // `nproc` and the machine's memory are this machine's: more of either is never found.
    let output = Command::new("bash")
        .args(["-euc", ". scripts/lib.sh; . scripts/limits.sh; set_limits; echo $MOD_WASM_INSTANCES $MOD_WASM_THREADS"])
        .current_dir(root())
        .env_remove("MOD_WASM_INSTANCES")
        .env_remove("MOD_WASM_THREADS")
        .env("CGROUP_FOLDER", folder.path())
        .envs(environment.iter().copied())
        .output()
        .expect("bash runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u32> = said
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    Ok((numbers[0], numbers[1]))
}

#[test]
fn memory_bounds_the_runs() {
    for (mib, runs) in [(128_u64, 1), (512, 1), (768, 2), (895, 2), (896, 3)] {
        let bytes = (mib << 20).to_string();
        let two = limits(&[("memory.max", &bytes), ("cpu.max", "100000 100000")], &[]);
        assert_eq!(two, Ok((runs, 32)), "{mib} MiB, version 2");
        let one = limits(
            &[
                ("memory/memory.limit_in_bytes", &bytes),
                ("cpu/cpu.cfs_quota_us", "100000"),
                ("cpu/cpu.cfs_period_us", "100000"),
            ],
            &[],
        );
        assert_eq!(one, two, "{mib} MiB, version 1");
    }
}

#[test]
fn processors_bound_the_runs_where_memory_is_plentiful() {
    // Half a processor counts as one.
    let half = [("cpu.max", "50000 100000"), ("memory.max", "max")];
    assert_eq!(limits(&half, &[]), Ok((8, 32)));
    let half = [
        ("cpu/cpu.cfs_quota_us", "50000"),
        ("cpu/cpu.cfs_period_us", "100000"),
    ];
    assert_eq!(limits(&half, &[]), Ok((8, 32)));
}

#[test]
fn without_limits_the_machine_is_the_limit() {
    let bare = limits(&[], &[]);
    let two = [("cpu.max", "max 100000"), ("memory.max", "max")];
    assert_eq!(limits(&two, &[]), bare);
    let one = [
        ("memory/memory.limit_in_bytes", "9223372036854771712"),
        ("cpu/cpu.cfs_quota_us", "-1"),
        ("cpu/cpu.cfs_period_us", "100000"),
    ];
    assert_eq!(limits(&one, &[]), bare);
    let (runs, requests) = bare.expect("this machine has limits");
    assert!(runs >= 1 && requests >= runs * 4, "{runs}, {requests}");
}

#[test]
fn what_is_set_is_taken_as_it_is() {
    let small = [("memory.max", "268435456")];
    let set = limits(&small, &[("MOD_WASM_INSTANCES", "40")]);
    assert_eq!(set, Ok((40, 160)));
    let set = limits(
        &small,
        &[("MOD_WASM_INSTANCES", "40"), ("MOD_WASM_THREADS", "7")],
    );
    assert_eq!(set, Ok((40, 7)));
    let refused = limits(&small, &[("MOD_WASM_INSTANCES", "08")]);
    assert_eq!(
        refused,
        Err("bash: MOD_WASM_INSTANCES=08 is not a number from 1 to 1000\n".to_owned())
    );
}
