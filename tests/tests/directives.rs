//! Every directive, right and wrong. A wrong one stops `-t` and the start with its name, file, line and cause.

use std::fs;

use mod_wasm_tests::{Site, endpoint, guest};

/// A Location for the guest with `lines` in it, which have to be refused because of the one that begins with
/// `guilty`.
#[track_caller]
fn refused_inside(wasm: &str, lines: &str, guilty: &str, causes: &[&str]) {
    Site::new()
        .refused(endpoint("/x", wasm, lines))
        .names(guilty, causes);
}

#[track_caller]
fn refused_line(line: &str, causes: &[&str]) {
    refused_inside(&guest("plain_probe"), line, line, causes);
}

#[track_caller]
fn refused_module(path: &str, causes: &[&str]) {
    refused_inside(path, "", "WasmModule", causes);
}

#[test]
fn a_module_that_is_missing_is_refused() {
    refused_module(
        "/no/such/file.wasm",
        &["/no/such/file.wasm", "No such file"],
    );
}

#[test]
fn a_module_that_is_a_directory_is_refused() {
    refused_module("/tmp", &["/tmp"]);
}

#[test]
fn a_file_that_is_not_wasm_is_refused() {
    let site = Site::new();
    let path = site.file("text.wasm", "this is text");
    site.refused(endpoint("/x", &path, ""))
        .names("WasmModule", &["text.wasm"]);
}

#[test]
fn an_empty_file_is_refused() {
    let site = Site::new();
    let path = site.file("empty.wasm", "");
    site.refused(endpoint("/x", &path, ""))
        .names("WasmModule", &["empty.wasm"]);
}

#[test]
fn a_truncated_module_is_refused() {
    let site = Site::new();
    let whole = fs::read(guest("plain_probe")).expect("the guest is readable");
    let path = site.file("half.wasm", &whole[..whole.len() / 2]);
    site.refused(endpoint("/x", &path, ""))
        .names("WasmModule", &["half.wasm"]);
}

#[test]
fn an_import_that_nobody_provides_is_refused() {
    refused_module(&guest("unknown_import"), &["env", "no_such_function"]);
}

#[test]
fn a_module_without_its_entry_point_is_refused() {
    refused_module(&guest("no_start"), &["_start"]);
    refused_module(&guest("start_with_parameter"), &["_start"]);
    refused_module(&guest("start_is_memory"), &["_start"]);
}

#[test]
fn an_entry_point_that_the_module_lacks_is_refused() {
    refused_inside(
        &guest("plain_probe"),
        "WasmEntryPoint no_such",
        "WasmEntryPoint",
        &["no_such"],
    );
}

#[test]
fn a_limit_that_the_module_cannot_start_under_is_refused() {
    let line = "WasmMemoryLimit 16M";
    Site::new()
        .refused(endpoint("/x", &guest("large_memory"), line))
        .names(line, &["WASM0058", "large_memory.wasm"]);
}

#[test]
fn the_same_module_may_be_named_by_many_sections() {
    let wasm = guest("hello_wasm");
    let conf: String = (0..20)
        .map(|n| endpoint(&format!("/n{n}"), &wasm, &format!("WasmArg n{n}")))
        .collect();
    let server = Site::new().start(conf);
    assert!(server.get("/n17").expect(200).text().contains("1: n17"));
}

#[test]
fn a_module_path_is_relative_to_the_server_root() {
    let site = Site::new();
    site.file(
        "guests/tell.wasm",
        fs::read(guest("plain_probe")).expect("the guest is readable"),
    );
    let server = site.start(endpoint("/x", "guests/tell.wasm", ""));
    assert!(
        server
            .get("/x")
            .expect(200)
            .text()
            .starts_with("argv[0]=tell.wasm\n")
    );
}

#[test]
fn a_section_with_the_handler_and_no_module_answers_500() {
    let server = Site::new().start("<Location /x>\nSetHandler wasm-handler\n</Location>");
    server.get("/x").expect(500);
    let lines = server.expect_log("WASM0040");
    assert!(lines[0].message.contains("WasmModule"), "{lines:?}");
}

#[test]
fn a_directory_is_mounted_under_its_own_path() {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.file("data/a.txt", "content of a");
    let conf = endpoint(
        "/x",
        &guest("plain_probe"),
        &format!("WasmDir {data}\nWasmArg cat\nWasmArg {data}/a.txt"),
    );
    assert_eq!(
        site.start(conf).get("/x").expect(200).text(),
        "content of a"
    );
}

#[test]
fn a_directory_is_mounted_under_another_path() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let conf = endpoint(
        "/x",
        &guest("plain_probe"),
        &format!("WasmMapDir /inside {data}\nWasmArg put\nWasmArg /inside/new.txt\nWasmArg text"),
    );
    let server = site.start(conf);
    assert_eq!(server.get("/x").expect(200).text(), "written\n");
    assert_eq!(
        fs::read_to_string(server.path("data/new.txt")).expect("the guest wrote it"),
        "text"
    );
}

#[test]
fn a_mounted_directory_that_is_gone_fails_the_request_only() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let server = site.start(endpoint(
        "/x",
        &guest("list_dir"),
        &format!("WasmMapDir /d {data}\nWasmArg /d"),
    ));
    server.get("/x").expect(200);
    fs::remove_dir(&data).expect("the folder is ours");
    server.get("/x").expect(500);
    server.expect_log("WASM0059");
    server.site().writable_dir("data");
    server.get("/x").expect(200);
}

#[test]
fn an_absolute_link_leads_to_what_the_program_has_mounted_there() {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.file("other/note.txt", "note");
    std::os::unix::fs::symlink("/other/note.txt", format!("{data}/link"))
        .expect("a link can be made");
    let mounts = format!("WasmMapDir /data {data}\nWasmArg cat\nWasmArg /data/link");
    let other = format!("{mounts}\nWasmMapDir /other {} ro", site.path("other"));
    let wasm = guest("plain_probe");
    let conf = endpoint("/with", &wasm, &other) + &endpoint("/without", &wasm, &mounts);
    let server = site.start(conf);
    assert_eq!(server.get("/with").expect(200).text(), "note");
    let refused = server.get("/without").expect(200).text();
    assert!(refused.starts_with("cannot open: "), "{refused}");
}

#[test]
fn nothing_outside_of_a_mount_can_be_reached() {
    let site = Site::new();
    let data = site.writable_dir("data");
    site.file("secret.txt", "secret");
    std::os::unix::fs::symlink(site.path("secret.txt"), format!("{data}/link"))
        .expect("a link can be made");
    std::os::unix::fs::symlink("../secret.txt", format!("{data}/relative"))
        .expect("a link can be made");
    let paths = [
        "/etc/passwd".to_owned(),
        "/inside/../secret.txt".to_owned(),
        "/inside/link".to_owned(),
        "/inside/relative".to_owned(),
        format!("{data}/../secret.txt"),
    ];
    let wasm = guest("plain_probe");
    let conf: String = (0..paths.len())
        .map(|n| {
            let lines = format!(
                "WasmMapDir /inside {data}\nWasmArg cat\nWasmArg {}",
                paths[n]
            );
            endpoint(&format!("/x{n}"), &wasm, &lines)
        })
        .collect();
    let server = site.start(conf);
    for (n, path) in paths.iter().enumerate() {
        let text = server.get(&format!("/x{n}")).expect(200).text();
        assert!(
            text.starts_with("cannot open: "),
            "{path} could be read: {text}"
        );
    }
}

#[test]
fn a_read_only_mount_refuses_every_change() {
    let site = Site::new();
    let data = site.writable_dir("data");
    // The child itself may change all of it: only the mount stands in the way.
    let file = format!("{data}/file.txt");
    site.writable_dir("data/sub");
    fs::write(&file, "original").expect("the folder is writable");
    let wasm = guest("plain_probe");
    let conf = endpoint(
        "/dir",
        &wasm,
        &format!("WasmDir {data} ro\nWasmArg spoil\nWasmArg {data}"),
    ) + &endpoint(
        "/map",
        &wasm,
        &format!("WasmMapDir /d {data} ro\nWasmArg spoil\nWasmArg /d"),
    ) + &endpoint(
        "/read",
        &wasm,
        &format!("WasmMapDir /d {data} ro\nWasmArg cat\nWasmArg /d/file.txt"),
    );
    let server = site.start(conf);
    for target in ["/dir", "/map"] {
        let text = server.get(target).expect(200).text();
        for attempt in text.lines() {
            assert!(
                !attempt.ends_with("done") && attempt != "written",
                "{target} allowed: {attempt}"
            );
        }
        assert_eq!(text.lines().count(), 9, "{text}");
    }
    assert_eq!(server.get("/read").expect(200).text(), "original");
    let left = fs::read_dir(server.path("data"))
        .expect("the folder is readable")
        .count();
    assert_eq!(left, 2, "something was made in a read-only mount");
}

#[test]
fn a_wrong_mount_is_refused() {
    refused_line("WasmDir /no/such/dir", &["/no/such/dir"]);
    refused_line("WasmMapDir /inside /no/such/dir", &["/no/such/dir"]);
    refused_line("WasmDir /etc/passwd", &["/etc/passwd"]);
    refused_line("WasmDir /tmp readonly", &["readonly"]);
    refused_line("WasmMapDir /inside /tmp readonly", &["readonly"]);
    refused_line("WasmMapDir /inside", &["two or three arguments"]);
}

#[test]
fn an_empty_guest_path_is_refused() {
    refused_line("WasmMapDir \"\" /tmp", &[]);
}

#[test]
fn a_wrong_number_is_refused() {
    for value in [
        "0",
        "-1",
        "ten",
        "1.5.2",
        "\"\"",
        "10parsecs",
        "99999999999999999999",
    ] {
        refused_line(&format!("WasmTimeout {value}"), &[]);
    }
    for value in [
        "0",
        "-1",
        "much",
        "1.5M",
        "12X",
        "\"\"",
        "99999999999999999999G",
    ] {
        refused_line(&format!("WasmMemoryLimit {value}"), &[]);
    }
}

#[test]
fn a_wrong_limit_of_files_is_refused() {
    for value in ["0", "15", "4097", "-1", "many", "256K"] {
        refused_line(&format!("WasmFileLimit {value}"), &["16 to 4096"]);
    }
}

#[test]
fn a_limit_of_files_that_the_mounts_use_up_is_refused() {
    let site = Site::new();
    let data = site.writable_dir("data");
    let mounts: String = (0..13)
        .map(|number| format!("WasmMapDir /m{number} {data}\n"))
        .collect();
    site.refused(endpoint(
        "/x",
        &guest("plain_probe"),
        &format!("{mounts}WasmFileLimit 16"),
    ))
    .names("WasmFileLimit", &["WASM0059", "17"]);
}

#[test]
fn a_wrong_switch_is_refused() {
    refused_line("WasmEnableCGI Maybe", &["On or Off"]);
    refused_line("WasmMapCGIFileNames 1", &["On or Off"]);
    refused_line("WasmIgnoreClientAbort 1", &["On or Off"]);
    refused_line("WasmScriptArg Last", &["On or Off"]);
    refused_line("WasmAllowSymlinks Yes", &["On or Off"]);
}

#[test]
fn a_directive_without_its_arguments_is_refused() {
    for line in [
        "WasmModule",
        "WasmDir",
        "WasmMapDir",
        "WasmArg",
        "WasmEnv",
        "WasmEnv NAME",
        "WasmEntryPoint",
        "WasmTimeout",
    ] {
        let conf = format!("<Location /x>\n{line}\n</Location>");
        Site::new().refused(conf).names(line, &["takes"]);
    }
}

#[test]
fn a_wrong_variable_name_is_refused() {
    refused_line("WasmEnv A=B value", &["A=B"]);
    refused_line("WasmEnv \"\" value", &[]);
}

#[test]
fn an_empty_entry_point_is_refused() {
    refused_line("WasmEntryPoint \"\"", &[]);
}

#[test]
fn numbers_may_have_units() {
    let wasm = guest("hello_wasm");
    let lines = [
        "WasmTimeout 1.5",
        "WasmTimeout 2500ms",
        "WasmTimeout 1min",
        "WasmMemoryLimit 67108864",
        "WasmMemoryLimit 65536K",
        "WasmMemoryLimit 64m",
        "WasmMemoryLimit 1G",
    ];
    let conf: String = (0..lines.len())
        .map(|n| endpoint(&format!("/x{n}"), &wasm, lines[n]))
        .collect();
    let server = Site::new().start(conf);
    for n in 0..lines.len() {
        server.get(&format!("/x{n}")).expect(200);
    }
}

#[test]
fn directives_of_the_whole_server_are_refused_in_sections() {
    for line in [
        "WasmMaxInstances 3",
        "WasmQueueTimeout 3",
        "WasmCacheDir /var/cache/x",
        "WasmScratchDir /var/cache/x",
    ] {
        let word = line.split(' ').next().unwrap_or(line);
        Site::new()
            .refused(format!("<Location /x>\n{line}\n</Location>"))
            .names(line, &[word, "not allowed"]);
        Site::new()
            .refused(format!("<VirtualHost *:1>\n{line}\n</VirtualHost>"))
            .names(line, &[word]);
    }
}

#[test]
fn wrong_numbers_for_the_whole_server_are_refused() {
    for line in [
        "WasmMaxInstances 0",
        "WasmMaxInstances -1",
        "WasmMaxInstances many",
        "WasmQueueTimeout -1",
        "WasmQueueTimeout soon",
    ] {
        Site::new().refused(line).names(line, &[]);
    }
}

#[test]
fn an_unusable_cache_directory_is_refused() {
    let site = Site::new();
    let file = site.file("file", "");
    let conf = endpoint("/x", &guest("hello_wasm"), "");
    let cache = site.path("file/below");
    assert!(cache.starts_with(&file));
    site.httpd(conf)
        .cache(cache)
        .refused()
        .names("WasmCacheDir", &[]);
}

#[test]
fn all_mistakes_are_found_even_in_sections_that_no_request_uses() {
    let conf = "<VirtualHost 127.0.0.1:1>\n<If \"false\">\nWasmModule /no/such.wasm\n</If>\n</VirtualHost>";
    Site::new()
        .refused(conf)
        .names("WasmModule", &["/no/such.wasm"]);
}
