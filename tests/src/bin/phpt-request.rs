//! php-cgi for PHP's own `run-tests.php`: makes what would be one run of it a request to an httpd with our PHP, and prints the answer as a CGI
//! program does. Each test may have a php.ini of its own, so each has an httpd of its own: with a snapshot where the php.ini is that of all
//! tests, and without one where it is not, since a snapshot of each takes too long.
//!
//! The arguments are those of php-cgi, of which `-d NAME=VALUE` becomes php.ini; the request stands in the variables of CGI. PHPT_FOLDER is where
//! the tests lie, PHPT_MODULE is php.wasm.

use std::env;
use std::fs;
use std::io::{Read, Write, stdin, stdout};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mod_wasm_tests::{Response, Server, Site};

/// What httpd itself makes of a request.
const OF_THE_REQUEST: [&str; 8] = [
    "REDIRECT_STATUS",
    "QUERY_STRING",
    "PATH_TRANSLATED",
    "SCRIPT_FILENAME",
    "REQUEST_METHOD",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "TZ",
];

fn variable(name: &str) -> String {
    env::var_os(name)
        .map(|value| value.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// php.ini for what `-d` says, but for what differs from worker to worker.
fn ini(arguments: &[String]) -> String {
    let worker = "opcache.cache_id=";
    let options = arguments
        .windows(2)
        .filter(|pair| pair[0] == "-d" && !pair[1].starts_with(worker));
    options.map(|pair| ini_line(&pair[1])).collect()
}

fn ini_line(setting: &str) -> String {
    let (name, value) = setting.split_once('=').unwrap_or((setting, "1"));
    let plain = |first: char| first.is_ascii_alphanumeric() || first == '"';
    if value.chars().next().is_none_or(plain) {
        return format!("{name}={value}\n");
    }
    format!("{name}=\"{value}\"\n")
}

/// Variables for the script: all but those that the request makes.
fn environment() -> String {
    let ours = |name: &str| {
        name.starts_with("PHPT_") || name.starts_with("HTTP_") || OF_THE_REQUEST.contains(&name)
    };
    let variables =
        env::vars_os().map(|pair| [pair.0, pair.1].map(|text| text.to_string_lossy().into_owned()));
    variables
        .filter(|[name, value]| !ours(name) && !value.contains('\n'))
        .map(|[name, value]| format!("WasmEnv {name} {}\n", quoted(&value)))
        .collect()
}

/// A word of httpd.conf.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A folder with this php.ini, beside that of the tests, which is mounted to be written to. Tests with the same find the same, and so share the
/// snapshot.
fn ini_folder(folder: &str, ini: &str) -> String {
    let name = format!("{folder}-ini-{:08x}", crc32fast::hash(ini.as_bytes()));
    let new = format!("{name}.{}", std::process::id());
    if !Path::new(&name).exists() {
        fs::create_dir(&new).expect("a folder");
        fs::write(format!("{new}/php.ini"), ini).expect("a file");
        // Another test may have been faster.
        let _ = fs::rename(&new, &name);
    }
    name
}

/// Whether the test that is run has settings of its own.
fn has_own_ini() -> bool {
    let test = Path::new(&variable("SCRIPT_FILENAME")).with_extension("phpt");
    fs::read(test).is_ok_and(|text| text.windows(7).any(|line| line == b"--INI--"))
}

fn start(folder: &str, ini: &str) -> Server {
    let site = Site::new();
    let preinit = if has_own_ini() { "Off" } else { "Auto" };
    let conf = format!(
        "DocumentRoot {folder}\nHttpProtocolOptions Unsafe\n<Directory {folder}>\nSetHandler wasm-handler\nWasmModule {php}\n\
         WasmMapDir {folder} {folder}\nWasmMapDir /etc/php {php_ini} ro\nWasmTmpDir /tmp\nWasmMemoryLimit 1G\nWasmTimeout 60\n\
         WasmEnableCGI On\nWasmMapCGIFileNames On\nWasmScriptArg Off\nWasmPreinit {preinit}\n{environment}</Directory>\nWasmQueueTimeout 120",
        php = variable("PHPT_MODULE"),
        php_ini = ini_folder(folder, ini),
        environment = environment(),
    );
    let server = site.httpd(conf).threads(2).start();
    // What PHP logs is no matter of these tests.
    server.allow_log("");
    server
}

/// Bytes of a variable of CGI, which need not be UTF-8.
fn bytes(name: &str) -> Vec<u8> {
    env::var_os(name).map_or_else(Vec::new, |value| value.as_bytes().to_vec())
}

/// Names of headers, and the variables that hold them.
fn headers() -> Vec<(String, String)> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let of_a_header = |name: &String| name == "CONTENT_TYPE" || name.starts_with("HTTP_");
    names
        .filter(|name| of_a_header(name) && !bytes(name).is_empty())
        .map(|name| (name.trim_start_matches("HTTP_").replace('_', "-"), name))
        .collect()
}

/// The request up to its body.
fn head(folder: &str, body: &[u8]) -> Vec<u8> {
    let path = variable("SCRIPT_FILENAME");
    let path = path.strip_prefix(folder).unwrap_or(&path);
    let mut head = format!("{} {path}", variable("REQUEST_METHOD")).into_bytes();
    let query = bytes("QUERY_STRING");
    if !query.is_empty() {
        head.push(b'?');
        head.extend(
            query
                .iter()
                .map(|&byte| if byte == b' ' { b'+' } else { byte }),
        );
    }
    head.extend(b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
    for (header, name) in headers() {
        head.extend(format!("{header}: ").into_bytes());
        // Cookies of some tests stand on lines of their own.
        head.extend(
            bytes(&name)
                .iter()
                .map(|&byte| if byte == b'\n' { b' ' } else { byte }),
        );
        head.extend(b"\r\n");
    }
    if !body.is_empty() {
        head.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    }
    head.extend(b"\r\n");
    head
}

fn answer(server: &Server, folder: &str) -> Response {
    let mut body = Vec::new();
    if !variable("CONTENT_LENGTH").is_empty() {
        stdin().read_to_end(&mut body).expect("a body");
    }
    let mut exchange = server.connect();
    exchange.send(&head(folder, &body));
    exchange.send(&body);
    exchange.finish()
}

/// The answer as php-cgi writes it. httpd has a spelling of its own for two headers; tests look for that of PHP or of a script as well.
fn as_cgi(response: &Response) -> Vec<u8> {
    let mut head = String::new();
    if response.status != 200 {
        head += &format!("Status: {} {}\r\n", response.status, response.reason);
    }
    for (name, value) in &response.headers {
        match name.as_str() {
            "Content-Type" => head += &format!("Content-type: {value}\r\n"),
            "Content-Length" => head += &format!("Content-length: {value}\r\n"),
            _ => {}
        }
        head += &format!("{name}: {value}\r\n");
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend(response.body());
    bytes
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let folder = variable("PHPT_FOLDER");
    let server = start(&folder, &ini(&arguments));
    let response = answer(&server, &folder);
    stdout().write_all(&as_cgi(&response)).expect("a reader");
}
