//! An application of a test's own, to be mounted beside those of the image.

use std::fs;

use mod_wasm_tests::{Site, endpoint, guest};

/// A folder below `apps/` of the image: a snippet of configuration, and programs beside it.
pub(crate) struct App {
    site: Site,
}

impl App {
    /// Each of these guests of `tests/guests` answers at `/<its name>`; `conf` follows them.
    pub(crate) fn new(guests: &[&str], conf: &str) -> Self {
        let app = Self { site: Site::new() };
        app.configure(guests, conf);
        app
    }

    /// Replaces what it was made of.
    pub(crate) fn configure(&self, guests: &[&str], conf: &str) {
        let mut lines = String::new();
        for name in guests {
            let program = fs::read(guest(name)).expect("a guest is readable");
            self.site.file(&format!("app/{name}.wasm"), program);
            lines.push_str(&endpoint(
                &format!("/{name}"),
                &format!("${{MOD_WASM_APPS}}/test/{name}.wasm"),
                "Require all granted",
            ));
        }
        self.site.file("app/httpd.conf", format!("{lines}{conf}\n"));
    }

    /// The folder on this machine.
    pub(crate) fn folder(&self) -> String {
        self.site.path("app")
    }
}
