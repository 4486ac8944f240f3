//! PHP as this project builds it, behind httpd and as a command.

use std::process::Command;

use crate::command::bare;
use crate::paths::{cache_dir, own_php};
use crate::{Httpd, Server, Site};

/// Serves these scripts with our PHP; it may write to `/data`, whose folder is `data` of the site.
pub fn serve(scripts: &[(&str, &str)], lines: &str) -> Server {
    serve_site(Site::new(), scripts, lines)
}

/// The same in a site that holds files already.
pub fn serve_site(site: Site, scripts: &[(&str, &str)], lines: &str) -> Server {
    httpd(site, scripts, lines).start()
}

/// The same with a php.ini.
pub fn serve_with_ini(ini: &str, scripts: &[(&str, &str)], lines: &str) -> Server {
    let site = Site::new();
    site.file("php/php.ini", ini);
    let lines = format!("WasmMapDir /etc/php {} ro\n{lines}", site.path("php"));
    serve_site(site, scripts, &lines)
}

/// The same, for tests that choose how httpd runs.
pub fn httpd(site: Site, scripts: &[(&str, &str)], lines: &str) -> Httpd {
    for (name, code) in scripts {
        site.file(&format!("htdocs/{name}"), code);
    }
    let conf = format!(
        "<Directory {docs}>\n<FilesMatch \"\\.php$\">\nSetHandler wasm-handler\n</FilesMatch>\nWasmModule {php}\n\
         WasmMapDir /app {docs} ro\nWasmMapDir /data {data}\nWasmTmpDir /tmp\n\
         WasmEnableCGI On\nWasmMapCGIFileNames On\nWasmScriptArg Off\n{lines}\n</Directory>\n\
         WasmQueueTimeout 120",
        docs = site.path("htdocs"),
        php = own_php(),
        data = site.writable_dir("data"),
    );
    site.httpd(conf)
}

/// Serves one script, and returns what it prints.
pub fn printed_by(code: &str) -> String {
    serve(&[("page.php", code)], "")
        .get("/page.php")
        .expect(200)
        .text()
}

/// A command line of our PHP.
pub fn command(arguments: &[&str]) -> Command {
    command_with(&[], arguments)
}

/// The same with options of `wasm-run`.
pub fn command_with(options: &[&str], arguments: &[&str]) -> Command {
    let mut command = bare();
    command.arg("--cache-dir").arg(cache_dir()).args(options);
    command.arg(own_php()).args(arguments);
    command
}

/// The same from a snapshot: its initialiser gets this variable, and folders of the host are mounted read-only for both.
pub fn preinit_command(variable: &str, mounts: &[(&str, String)], arguments: &[&str]) -> Command {
    let mounts: Vec<_> = mounts
        .iter()
        .map(|(guest, host)| format!("--mount={guest}={host}:ro"))
        .collect();
    let mut options = vec!["--preinit", "--preinit-env", variable];
    options.extend(mounts.iter().map(String::as_str));
    command_with(&options, arguments)
}
