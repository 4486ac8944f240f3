//! A real browser: headless Chromium, driven through its own driver as a person would use it.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::launch::free_port;
use crate::paths::program;
use crate::process::wait_until;
use crate::server::Server;
use crate::webdriver::{Session, element_id, element_reference, ready};

/// How long a page may take to show what a test waits for: a WordPress editor on two busy cores is slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// Besides these, nothing but 127.0.0.1 has a name: no test depends on other machines, and none bothers them.
const FLAGS: &[&str] = &[
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--force-prefers-reduced-motion",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--lang=en",
];

/// Keys, as the protocol names them.
pub const TAB: &str = "\u{E004}";
pub const ENTER: &str = "\u{E007}";

/// A browser with a window of its own and no memory of earlier ones, at one server. It ends when it is dropped.
pub struct Chromium {
    session: Session,
    origin: String,
    /// Held for its end.
    _driver: Driver,
}

/// The driver's process. It leads a group, to which the browser's processes belong too.
struct Driver {
    process: Child,
    folder: TempDir,
}

/// Something on the page.
pub struct Element<'a> {
    browser: &'a Chromium,
    id: String,
}

impl Chromium {
    /// Starts a browser for this server, with a window of a usual size.
    pub fn start(server: &Server) -> Self {
        Self::at(server.address())
    }

    /// Starts a browser for whatever serves at this address.
    pub fn at(server: SocketAddr) -> Self {
        let (driver, address) = Driver::start();
        let profile = driver.folder.path().join("profile");
        let mut flags: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.display()));
        if rustix::process::geteuid().is_root() {
            flags.push("--no-sandbox".to_owned());
        }
        let binary = program("chromium", "chromium");
        let session = Session::begin(
            address,
            json!({"goog:chromeOptions": {"args": flags, "binary": binary}}),
        );
        let browser = Self {
            session,
            origin: format!("http://{server}"),
            _driver: driver,
        };
        browser.resize(1200, 900);
        browser
    }

    /// Makes the page's view this large, in CSS pixels; a window itself cannot get as narrow as a telephone.
    pub fn resize(&self, width: u32, height: u32) {
        self.emulate(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        );
    }

    /// Makes the visitor one who prefers this colour scheme: `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.emulate("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    fn emulate(&self, command: &str, parameters: Value) {
        self.session.post(
            "goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// Opens a page of the server and waits until it has loaded.
    #[track_caller]
    pub fn open(&self, target: &str) {
        let url = format!("{}{target}", self.origin);
        self.session.post("url", &json!({"url": url}));
    }

    /// Path, query and fragment of the page that is shown; the whole address where that is another server's.
    pub fn target(&self) -> String {
        let url = self.session.get("url");
        let url = url.as_str().expect("a page has an address");
        url.strip_prefix(&self.origin).unwrap_or(url).to_owned()
    }

    /// The status with which the server answered the page that is shown.
    pub fn status(&self) -> Value {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.run(script, &[])
    }

    /// The text of the page as it is shown.
    pub fn text(&self) -> String {
        let text = self.run("return document.body?.innerText ?? ''", &[]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(&format!("the text {text:?}"), || {
            self.text().contains(text).then_some(())
        });
    }

    /// The first element that matches this CSS selector, as soon as there is one.
    #[track_caller]
    pub fn find(&self, css: &str) -> Element<'_> {
        self.locate("css selector", css)
    }

    /// The first link whose text contains this, as soon as there is one.
    #[track_caller]
    pub fn link(&self, text: &str) -> Element<'_> {
        self.locate("partial link text", text)
    }

    /// Whether an element that matches this CSS selector is there now.
    pub fn has(&self, css: &str) -> bool {
        self.look("css selector", css).is_some()
    }

    /// Clicks on the first element that matches this CSS selector, as soon as there is one that takes it. A page that makes itself
    /// anew takes away what was found: it is looked up each time.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.wait(&format!("a click on {css}"), || self.try_click(css));
    }

    /// Clicks on it if it is there now and takes it.
    pub fn try_click(&self, css: &str) -> Option<()> {
        self.act("click", css, &json!({}))
    }

    /// Types into it, or chooses a file of this path, if it is there now and takes it.
    pub fn try_type(&self, css: &str, text: &str) -> Option<()> {
        self.act("value", css, &json!({ "text": text }))
    }

    fn act(&self, action: &str, css: &str, body: &Value) -> Option<()> {
        let id = self.look("css selector", css)?;
        let command = format!("element/{id}/{action}");
        self.session.try_post(&command, body).ok().map(drop)
    }

    /// The element that has the keyboard's focus.
    pub fn focused(&self) -> Element<'_> {
        let reference = self.session.get("element/active");
        Element {
            browser: self,
            id: element_id(&reference).expect("some element has the focus"),
        }
    }

    /// Presses these keys one after the other, on whatever has the focus.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        self.session.post(
            "actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// Runs a script on the page; `arguments` are its arguments, and what it returns is returned.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.session.post(
            "execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// Goes into the page that the first frame shows which matches this CSS selector, if it is there now.
    pub fn try_enter_frame(&self, css: &str) -> Option<()> {
        let frame = element_reference(&self.look("css selector", css)?);
        let entered = self.session.try_post("frame", &json!({ "id": frame }));
        entered.ok().map(drop)
    }

    /// Comes back from all frames.
    pub fn leave_frames(&self) {
        self.session.post("frame", &json!({"id": null}));
    }

    /// Waits until `look` sees something. What the page shows instead is told where it never does.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "waited {PATIENCE:?} in vain for {what} at {}: {}",
                self.target(),
                self.text()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    #[track_caller]
    fn locate(&self, using: &str, value: &str) -> Element<'_> {
        let id = self.wait(&format!("the {using} {value:?}"), || {
            self.look(using, value)
        });
        Element { browser: self, id }
    }

    /// The id of the first element that matches, if there is one now.
    fn look(&self, using: &str, value: &str) -> Option<String> {
        let body = json!({"using": using, "value": value});
        element_id(&self.session.try_post("element", &body).ok()?)
    }
}

impl Driver {
    fn start() -> (Self, SocketAddr) {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut process = Command::new(program("chromedriver", "chromium-driver"))
            .arg(format!("--port={}", address.port()))
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver can be started");
        wait_until("chromedriver answers", PATIENCE, || {
            let ended = process.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "chromedriver ended at once: {ended:?}");
            TcpStream::connect(address).is_ok() && ready(address)
        });
        (Self { process, folder }, address)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

impl Element<'_> {
    /// Clicks on it, and waits until another page has taken this one's place.
    #[track_caller]
    pub fn follow(&self) {
        let page = self.browser.find("html");
        self.click();
        self.browser
            .wait("the next page", || page.is_gone().then_some(()));
        self.browser.find("body");
    }

    /// Whether it belongs to a page that is shown no more.
    fn is_gone(&self) -> bool {
        let script = json!({"script": "", "args": [element_reference(&self.id)]});
        self.browser
            .session
            .try_post("execute/sync", &script)
            .is_err()
    }

    /// Clicks on it.
    #[track_caller]
    fn click(&self) {
        self.browser
            .session
            .post(&format!("element/{}/click", self.id), &json!({}));
    }

    /// Types into it; for a file's field, `text` is the file's path.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.browser.session.post(
            &format!("element/{}/value", self.id),
            &json!({"text": text}),
        );
    }

    /// Its text as it is shown.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self
            .browser
            .session
            .get(&format!("element/{}/text", self.id));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What a script returns about it; it is the script's `arguments[0]`.
    #[track_caller]
    pub fn ask(&self, script: &str) -> Value {
        self.browser.run(script, &[element_reference(&self.id)])
    }
}
