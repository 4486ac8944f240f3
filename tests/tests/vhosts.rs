//! Virtual hosts with equal paths never see each other's settings.

use mod_wasm_tests::{Site, endpoint, guest};

fn vhost(site: &Site, name: &str, lines: &str) -> String {
    format!(
        "<VirtualHost *>\nServerName {name}.test\nErrorLog {}\n{lines}\n</VirtualHost>\n",
        site.path(&format!("logs/{name}-error.log"))
    )
}

#[test]
fn equal_paths_have_separate_settings() {
    let site = Site::new();
    site.file("a/only-a.txt", "");
    site.file("b/only-b.txt", "");
    let tell = guest("plain_probe");
    let list = guest("list_dir");
    let mut conf = "WasmEnv COMMON yes\n".to_owned();
    for name in ["a", "b"] {
        let lines = endpoint(
            "/tell",
            &tell,
            &format!("WasmArg for-{name}\nWasmEnv HOST_{name} 1"),
        ) + &endpoint(
            "/list",
            &list,
            &format!("WasmArg /d\nWasmMapDir /d {}", site.path(name)),
        );
        conf += &vhost(&site, name, &lines);
    }
    conf += &vhost(&site, "none", "");
    let server = site.start(conf);
    for name in ["a", "b"] {
        let host = format!("{name}.test");
        let text = server
            .request("GET", "/tell")
            .host(&host)
            .send()
            .expect(200)
            .text();
        let expected = format!("argv[0]=plain_probe.wasm\nargv[1]=for-{name}\n");
        assert!(text.starts_with(&expected), "{text}");
        assert!(
            text.contains(&format!("env HOST_{name}=1\n")) && text.contains("env COMMON=yes\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 5, "{text}");
        let list = server
            .request("GET", "/list")
            .host(&host)
            .send()
            .expect(200)
            .text();
        assert!(list.ends_with(&format!("  only-{name}.txt\n")), "{list}");
    }
    server
        .request("GET", "/tell")
        .host("none.test")
        .send()
        .expect(404);
}

#[test]
fn a_setting_of_the_host_reaches_its_sections() {
    let site = Site::new();
    let wasm = guest("plain_probe");
    let conf = vhost(
        &site,
        "a",
        &format!(
            "WasmModule {wasm}\nWasmArg of-the-host\n<Location /x>\nSetHandler wasm-handler\n</Location>"
        ),
    ) + &vhost(&site, "b", &endpoint("/x", &wasm, ""));
    let server = site.start(conf);
    let text = |host: &str| {
        server
            .request("GET", "/x")
            .host(host)
            .send()
            .expect(200)
            .text()
    };
    assert!(text("a.test").contains("argv[1]=of-the-host"));
    assert!(!text("b.test").contains("of-the-host"));
}

#[test]
fn each_host_logs_its_own_failures() {
    let site = Site::new();
    let trap = endpoint("/trap", &guest("trap_unreachable"), "");
    let conf = vhost(&site, "a", &trap) + &vhost(&site, "b", &trap);
    let server = site.start(conf);
    server
        .request("GET", "/trap")
        .host("b.test")
        .send()
        .expect(500);
    let lines = server.expect_log("WASM0050");
    assert!(
        lines.iter().all(|line| line.file == "b-error.log"),
        "{lines:?}"
    );
}
