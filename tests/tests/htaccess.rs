//! No directive works in `.htaccess`: a tenant must not be able to mount directories.

use mod_wasm_tests::{Site, endpoint, guest};

fn lines() -> Vec<String> {
    let wasm = guest("plain_probe");
    [
        &format!("WasmModule {wasm}"),
        "WasmDir /tmp",
        "WasmDir /tmp ro",
        "WasmMapDir /inside /tmp",
        "WasmArg x",
        "WasmEnv A b",
        "WasmEntryPoint _start",
        "WasmEnableCGI On",
        "WasmMapCGIFileNames On",
        "WasmIgnoreClientAbort On",
        "WasmTimeout 5",
        "WasmMemoryLimit 1M",
        "WasmModuleDigest sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "WasmMaxInstances 1",
        "WasmQueueTimeout 1",
        "WasmTmpDir /tmp",
        "WasmPreinit On",
        "WasmPreinitEnv A b",
        "WasmPreinitTimeout 5",
        "WasmCacheDir /tmp",
        "WasmScratchDir /tmp",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Serves a folder for each line, the line in its `.htaccess`, and asserts that each request fails.
fn refused_with(override_lines: &str) {
    let site = Site::new();
    let lines = lines();
    for (n, line) in lines.iter().enumerate() {
        site.file(&format!("htdocs/{n}/page.txt"), "page");
        site.file(&format!("htdocs/{n}/.htaccess"), line);
    }
    site.file("htdocs/ok/page.txt", "page");
    let conf = format!(
        "<Directory {}>\n{override_lines}\n</Directory>",
        site.path("htdocs")
    );
    let server = site.start(conf);
    server.allow_log(".htaccess");
    for (n, line) in lines.iter().enumerate() {
        let answer = server.get(&format!("/{n}/page.txt"));
        assert_eq!(answer.status, 500, "{line} was accepted in .htaccess");
        let word = line.split(' ').next().unwrap_or(line);
        let told = server
            .log_with(&format!("/{n}/.htaccess"))
            .iter()
            .any(|line| line.message.contains(word));
        assert!(told, "no log line names {word}: {:?}", server.log());
    }
    server.get("/ok/page.txt").expect(200);
}

#[test]
fn nothing_is_allowed_by_allow_override_all() {
    refused_with("AllowOverride All");
}

#[test]
fn nothing_is_allowed_by_allow_override_list() {
    let mut names: Vec<String> = lines()
        .iter()
        .map(|line| line.split(' ').next().unwrap_or(line).to_owned())
        .collect();
    // httpd itself discards from the list what is for the whole server only, and says so.
    names.retain(|name| {
        ![
            "WasmMaxInstances",
            "WasmQueueTimeout",
            "WasmCacheDir",
            "WasmScratchDir",
        ]
        .contains(&name.as_str())
    });
    refused_with(&format!(
        "AllowOverride None\nAllowOverrideList {}",
        names.join(" ")
    ));
}

#[test]
fn a_section_inside_of_htaccess_does_not_help() {
    let site = Site::new();
    site.file("htdocs/page.txt", "page");
    site.file(
        "htdocs/.htaccess",
        "<Files page.txt>\nWasmDir /tmp\n</Files>\n<If \"true\">\nWasmDir /\n</If>",
    );
    let conf = format!(
        "<Directory {}>\nAllowOverride All\n</Directory>",
        site.path("htdocs")
    );
    let server = site.start(conf);
    server.get("/page.txt").expect(500);
    server.expect_log(".htaccess");
}

#[test]
fn the_handler_alone_gives_a_tenant_nothing_to_run() {
    let site = Site::new();
    site.file("htdocs/a/page.txt", "page");
    site.file("htdocs/a/.htaccess", "SetHandler wasm-handler");
    let conf = format!(
        "<Directory {}>\nAllowOverride All\n</Directory>\n",
        site.path("htdocs")
    ) + &endpoint("/elsewhere", &guest("hello_wasm"), "");
    let server = site.start(conf);
    server.get("/a/page.txt").expect(500);
    server.expect_log("WasmModule");
}
