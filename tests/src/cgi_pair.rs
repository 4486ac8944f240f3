//! One CGI program, two ways to run it: for comparing them.

use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use crate::paths::{guest, native};
use crate::response::Response;
use crate::server::Server;
use crate::site::Site;

/// The same program behind mod_cgid, built natively, and behind us.
pub struct CgiPair {
    pub native: Server,
    pub wasm: Server,
}

impl CgiPair {
    /// Two servers whose configuration differs in nothing but who runs the program.
    pub fn start() -> Self {
        let native_lines = "SetHandler cgi-script\nOptions +ExecCGI";
        let wasm_lines = format!(
            "SetHandler wasm-handler\nWasmModule {}\nWasmEnableCGI On\nWasmScriptArg Off",
            guest("cgi_probe")
        );
        let pair = Self {
            native: server(native_lines, "cgid"),
            wasm: server(&wasm_lines, "env"),
        };
        // What each says in its log about a program that misbehaves has tests of its own; a crash never passes.
        pair.native.allow_log("[cgid:error]");
        pair.native.allow_log("AH00574: ap_content_length_filter");
        for server in pair.both() {
            server.allow_log("AH02428: Empty response header name");
            server.allow_log("AH02429: Response header name");
        }
        pair.wasm.allow_log("[wasm:");
        pair
    }

    pub fn both(&self) -> [&Server; 2] {
        [&self.native, &self.wasm]
    }

    /// Asks both; tells the two answers when they differ in more than they must.
    pub fn difference(&self, name: &str, ask: &dyn Fn(&Server) -> Response) -> Option<String> {
        let [native, wasm] = self.both().map(|server| normal(server, &ask(server)));
        if native == wasm {
            return None;
        }
        let only = |mine: &str, other: &str, sign: &str| -> String {
            let lines = mine
                .lines()
                .filter(|line| !other.lines().any(|theirs| theirs == *line));
            lines.map(|line| format!("{sign} {line}\n")).collect()
        };
        let lines = only(&native, &wasm, "mod_cgid:") + &only(&wasm, &native, "mod_wasm:");
        let lines = if lines.is_empty() {
            format!("{native}\n-- differs in order from\n{wasm}")
        } else {
            lines
        };
        Some(format!("== {name}\n{lines}"))
    }
}

fn server(lines: &str, module: &str) -> Server {
    let site = Site::new();
    site.executable("cgi/probe", &native("cgi_probe"));
    site.executable("cgi/auth", &native("cgi_probe"));
    let page = site.file("htdocs/static.txt", "static content\n");
    let moment = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::open(page)
        .and_then(|file| file.set_modified(moment))
        .expect("a file can be dated");
    let conf = format!(
        "Alias /cgi {0}\nServerTokens Prod\nFileETag None\nErrorDocument 404 /cgi/probe/for-missing?error=1\n\
         <Directory {0}>\n{lines}\n</Directory>\n<Files auth>\nCGIPassAuth On\n</Files>\nSetEnv FROM_CONFIG yes",
        site.path("cgi")
    );
    let mut modules = vec!["alias", "mime", module];
    if module != "env" {
        modules.push("env");
    }
    site.httpd(conf).modules(&modules).start()
}

/// An answer without what differs between any two servers or moments.
fn normal(server: &Server, answer: &Response) -> String {
    let mut lines = vec![format!(
        "{} {}{}",
        answer.status,
        answer.reason,
        if answer.complete { "" } else { " CUT OFF" }
    )];
    for (name, value) in &answer.headers {
        // Which framing httpd chooses depends on timing: how much has arrived when it writes the head.
        if !["Date", "Content-Length", "Transfer-Encoding"].contains(&name.as_str()) {
            lines.push(format!("{name}: {value}"));
        }
    }
    lines.push(String::new());
    for line in answer.partial_text().lines() {
        // The second is a listed exception, see cgi_exceptions.rs.
        if !line.contains("REMOTE_PORT=") && line != "REDIRECT_STATUS=200" {
            lines.push(line.to_owned());
        }
    }
    let folder = server.path("").trim_end_matches('/').to_owned();
    lines
        .join("\n")
        .replace(&folder, "DIR")
        .replace(&server.address().port().to_string(), "PORT")
}

/// Target of a request to which the program answers with exactly this text.
pub fn raw_output(text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("/cgi/probe?do=raw&hex={hex}")
}
