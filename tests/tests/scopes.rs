//! Each kind of section, and both ways to choose the handler.

use std::fs;

use mod_wasm_tests::{Site, cgi_endpoint, endpoint, guest};

#[test]
fn capabilities_are_chosen_per_request() {
    let site = Site::new();
    site.file("staff/internal.txt", "");
    site.file("public/welcome.txt", "");
    let conf = endpoint("/files", &guest("list_dir"), "WasmArg /d")
        + &format!(
            "<Location /files>\n<If \"%{{HTTP:X-Role}} == 'staff'\">\nWasmMapDir /d {} ro\n</If>\n\
             <Else>\nWasmMapDir /d {} ro\n</Else>\n</Location>",
            site.path("staff"),
            site.path("public")
        );
    let server = site.start(conf);
    for _ in 0..3 {
        let staff = server
            .request("GET", "/files")
            .header("X-Role", "staff")
            .send()
            .expect(200)
            .text();
        assert!(staff.ends_with("  internal.txt\n"), "{staff}");
        let public = server.get("/files").expect(200).text();
        assert!(public.ends_with("  welcome.txt\n"), "{public}");
    }
}

#[test]
fn the_handler_is_chosen_by_the_files_extension() {
    let site = Site::new();
    site.file("htdocs/app/page.probe", "source");
    site.file("htdocs/app/page.txt", "static");
    let conf = format!(
        "<Directory {}>\nAddHandler wasm-handler .probe\nWasmModule {}\nWasmArg by-extension\n</Directory>",
        site.path("htdocs/app"),
        guest("plain_probe")
    );
    let server = site.httpd(conf).modules(&["mime"]).start();
    assert!(
        server
            .get("/app/page.probe")
            .expect(200)
            .text()
            .contains("argv[1]=by-extension")
    );
    assert_eq!(server.get("/app/page.txt").expect(200).text(), "static");
}

#[test]
fn files_and_files_match_work() {
    let site = Site::new();
    for name in ["one.txt", "two.txt", "three.txt"] {
        site.file(&format!("htdocs/{name}"), "static");
    }
    let wasm = guest("plain_probe");
    let conf = format!(
        "<Files one.txt>\nSetHandler wasm-handler\nWasmModule {wasm}\nWasmArg files\n</Files>\n\
         <FilesMatch \"^two\">\nSetHandler wasm-handler\nWasmModule {wasm}\nWasmArg match\n</FilesMatch>"
    );
    let server = site.start(conf);
    assert!(
        server
            .get("/one.txt")
            .expect(200)
            .text()
            .contains("argv[1]=files")
    );
    assert!(
        server
            .get("/two.txt")
            .expect(200)
            .text()
            .contains("argv[1]=match")
    );
    assert_eq!(server.get("/three.txt").expect(200).text(), "static");
}

#[test]
fn directory_match_and_location_match_work() {
    let site = Site::new();
    site.file("htdocs/d1/a", "static");
    let wasm = guest("plain_probe");
    let conf = format!(
        "<DirectoryMatch \"/htdocs/d[0-9]\">\nSetHandler wasm-handler\nWasmModule {wasm}\nWasmArg directory\n</DirectoryMatch>\n\
         <LocationMatch \"^/l[0-9]+$\">\nSetHandler wasm-handler\nWasmModule {wasm}\nWasmArg location\n</LocationMatch>"
    );
    let server = site.start(conf);
    assert!(
        server
            .get("/d1/a")
            .expect(200)
            .text()
            .contains("argv[1]=directory")
    );
    assert!(
        server
            .get("/l42")
            .expect(200)
            .text()
            .contains("argv[1]=location")
    );
    server.get("/lx").expect(404);
}

#[test]
fn a_handler_by_extension_leaves_missing_files_missing() {
    let site = Site::new();
    fs::create_dir(site.path("htdocs/app")).expect("the site is writable");
    let conf = format!(
        "<Directory {}>\nAddHandler wasm-handler .probe\nWasmModule {}\nWasmEnableCGI On\n</Directory>",
        site.path("htdocs/app"),
        guest("cgi_probe")
    );
    let server = site.httpd(conf).modules(&["mime"]).start();
    server.get("/app/missing.probe").expect(404);
    server.expect_log("WASM0042");
}

#[test]
fn access_control_comes_first() {
    let conf = cgi_endpoint("/x", &guest("cgi_probe"), "Require all denied");
    let server = Site::new().start(conf);
    server.get("/x").expect(403);
    server.expect_log("AH01630");
}
