//! The WordPress demo, put together, served and installed by what `make demo` uses.

use std::fs;
use std::ops::Deref;
use std::process::Command;

use crate::browser::Browser;
use crate::demo::{define, demos_between, wordpress_script};
use crate::process::printed;
use crate::server::Server;
use crate::visits::editor;

/// A server with the WordPress demo.
pub struct WordPress {
    server: Server,
}

impl WordPress {
    /// Starts a server whose WordPress is not installed yet; `lines` follow the demo's own configuration.
    pub fn started(lines: &str) -> Self {
        Self::between("", lines)
    }

    /// Starts a server that visitors find at another address, and has WordPress installed.
    pub fn behind(public_url: &str) -> Self {
        let demo = Self::between(&define("MOD_WASM_PUBLIC_URL", public_url), "");
        demo.install();
        demo
    }

    fn between(before: &str, after: &str) -> Self {
        let httpd = demos_between(before, &["wordpress"], after);
        Self {
            server: httpd.threads(32).start(),
        }
    }

    /// Starts a server and has WordPress installed.
    pub fn installed(lines: &str) -> Self {
        let demo = Self::started(lines);
        demo.install();
        demo
    }

    /// Runs the installer, and returns what it told.
    pub fn install(&self) -> String {
        printed(&mut self.script("install"))
    }

    /// Gives the user `admin` a new password: this one, or a random one. Returns what was told.
    pub fn reset_password(&self, chosen: Option<&str>) -> String {
        let variables = chosen.map(|one| ("WORDPRESS_PASSWORD", one));
        printed(self.script("password").envs(variables))
    }

    /// `scripts/wordpress`, to be run with one of its commands that ask the server.
    pub fn script(&self, command: &str) -> Command {
        let url = format!("http://{}/wordpress", self.server.address());
        wordpress_script(&[command, &url, &self.path("data/wordpress")])
    }

    /// Makes the site's folders ready for a start.
    pub fn prepare(&self) {
        printed(&mut wordpress_script(&[
            "prepare",
            &self.path("data/wordpress"),
        ]));
    }

    /// The password of the user `admin`.
    pub fn password(&self) -> String {
        let password = fs::read_to_string(self.path("data/wordpress/password"))
            .expect("the installer keeps the password");
        password.trim().to_owned()
    }

    /// A visitor who has logged in as `admin`.
    pub fn admin(&self) -> Browser {
        editor::log_in(self.server.address(), &self.password())
    }

    /// Address of the installer's first post: permalinks begin with the day.
    pub fn first_post(&self) -> String {
        editor::first_post(&mut Browser::new(&self.server))
    }

    /// Adds a page of the test's own to the site: `/wordpress/<name>`.
    pub fn add_page(&self, name: &str, php: &str) {
        self.site().file(&format!("sites/wordpress/{name}"), php);
    }
}

impl Deref for WordPress {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
