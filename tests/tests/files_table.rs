//! Files in the sandbox against files on the host: C programs that do some hundred things to files each, built natively
//! and as Wasm, print the same lines. Where they must differ stands in `files_table/exceptions.rs`.

#[path = "files_table/exceptions.rs"]
mod exceptions;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use mod_wasm_tests::{Answers, FilesPair, Mpm, Site, Surroundings, cgi_endpoint, guest, program};

const PROGRAMS: &[&str] = &[
    "files_table_open",
    "files_table_data",
    "files_table_paths",
    "files_table_links",
    "files_table_folders",
    "files_table_names",
    "files_table_times",
    "files_table_denied",
];

const WITH_MOUNTS: &[&str] = &["files_table_mounts"];

/// File systems that are small, have room for few files, are read-only, and hold a device.
const MOUNTS: &str = "
    mkdir small few fixed devices
    mount -t tmpfs -o mode=777,size=64k none small
    mount -t tmpfs -o mode=777,nr_inodes=10 none few
    mount -t tmpfs -o mode=777 none fixed
    printf text >fixed/file
    mkdir fixed/folder
    chmod 666 fixed/file
    mount -o remount,ro fixed
    mount -t tmpfs -o mode=777 none devices
    mknod -m 666 devices/null c 1 3";

const WITH_QUOTA: &[&str] = &["files_table_quota"];

/// Of the kernel's quotas, those of btrfs are the ones that every Debian has.
const QUOTA: &str = "
    truncate -s 128M image
    mkfs.btrfs -q image >/dev/null
    mkdir volume limited
    mount -o loop image volume
    btrfs -q subvolume create volume/limited
    btrfs -q quota enable volume
    btrfs -q qgroup limit 1M volume/limited
    chmod 777 volume/limited
    mount --bind volume/limited limited";

/// The sandbox's answer and the reason for it.
type Listed = HashMap<&'static str, (&'static str, &'static str)>;

fn listed(programs: &[&str]) -> Listed {
    let mut listed = Listed::new();
    for exceptions in exceptions::ALL {
        for line in exceptions.answers {
            let (name, answer) = line.rsplit_once(" -> ").expect("a line has an answer");
            let of_these = |program: &&str| name.starts_with(&format!("{program}: "));
            if programs.iter().any(of_these) {
                let twice = listed.insert(name, (answer, exceptions.reason));
                assert!(twice.is_none(), "{name} is listed twice");
            }
        }
    }
    listed
}

/// What is wrong with an answer. `listed` loses the exception that it needed.
fn fault(answers: Answers, listed: &mut Listed) -> Option<String> {
    let Answers {
        name,
        native,
        sandbox,
    } = answers;
    let exception = listed.remove(name.as_str());
    let wrong = match exception {
        Some((expected, _)) => native == sandbox || sandbox.as_deref() != Some(expected),
        None => native != sandbox,
    };
    let told = |answer: Option<String>| answer.unwrap_or_else(|| "(not done)".to_owned());
    let listed = match exception {
        Some((expected, reason)) => format!("\n    listed:  {expected}, because {reason}"),
        None => String::new(),
    };
    wrong.then(|| {
        format!(
            "{name}\n    host:    {}\n    sandbox: {}{listed}",
            told(native),
            told(sandbox)
        )
    })
}

#[track_caller]
fn compare(surroundings: Surroundings, programs: &[&str]) {
    let pair = FilesPair::start(surroundings, programs);
    let mut listed = listed(programs);
    let answers = programs.iter().flat_map(|program| pair.answers(program));
    let mut faults: Vec<_> = answers
        .filter_map(|answers| fault(answers, &mut listed))
        .collect();
    faults.extend(
        listed
            .keys()
            .map(|name| format!("{name}\n    is listed, and was not done")),
    );
    assert!(
        faults.is_empty(),
        "{} differences:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

const EVENT: Surroundings = Surroundings::new(Mpm::Event);
const PREFORK: Surroundings = Surroundings::new(Mpm::Prefork);

#[test]
fn event() {
    compare(EVENT, PROGRAMS);
}

#[test]
fn prefork() {
    compare(PREFORK, PROGRAMS);
}

/// Paths are then resolved by the library alone.
#[test]
fn a_kernel_without_openat2() {
    let surroundings = Surroundings {
        openat2: false,
        ..EVENT
    };
    compare(surroundings, PROGRAMS);
}

fn with_other_file_systems(surroundings: Surroundings) {
    let mounts = Some(MOUNTS);
    let surroundings = Surroundings {
        mounts,
        ..surroundings
    };
    compare(surroundings, WITH_MOUNTS);
}

#[test]
fn event_with_other_file_systems() {
    with_other_file_systems(EVENT);
}

#[test]
fn prefork_with_other_file_systems() {
    with_other_file_systems(PREFORK);
}

#[test]
fn a_kernel_without_openat2_and_with_other_file_systems() {
    with_other_file_systems(Surroundings {
        openat2: false,
        ..EVENT
    });
}

fn with_a_quota(surroundings: Surroundings) {
    program("mkfs.btrfs", "btrfs-progs");
    let mounts = Some(QUOTA);
    let surroundings = Surroundings {
        mounts,
        ..surroundings
    };
    compare(surroundings, WITH_QUOTA);
}

#[test]
fn event_with_a_quota() {
    with_a_quota(EVENT);
}

#[test]
fn prefork_with_a_quota() {
    with_a_quota(PREFORK);
}

/// What no program can do to itself: a folder that it knows goes by others' hands, and comes anew.
#[test]
fn a_folder_that_others_replace_is_the_new_one() {
    let site = Site::new();
    let work = site.writable_dir("work");
    let folder = site.writable_dir("work/folder");
    let lines = format!("WasmMapDir / {work}");
    let server = site.start(cgi_endpoint("/x", &guest("files_meanwhile"), &lines));
    let mut exchange = server.request("POST", "/x").chunked().open();
    exchange.read_until("1: missing, made\n");
    fs::remove_dir_all(&folder).expect("the suite may remove what the guest made");
    server.site().writable_dir("work/folder");
    server.site().file("work/folder/new", "");
    exchange.send_chunk(b"x");
    exchange.end_chunks();
    let text = exchange.finish().expect(200).text();
    assert_eq!(text, "1: missing, made\n2: there, made\n");
    assert!(Path::new(&folder).join("made").exists());
}
