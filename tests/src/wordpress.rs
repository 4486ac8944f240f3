//! The WordPress demo, put together, served and installed by what `make demo` uses.

use std::fs;
use std::ops::Deref;

use crate::browser::Browser;
use crate::demo::{demos, wordpress_script};
use crate::server::Server;

/// A server with the WordPress demo.
pub struct WordPress {
    server: Server,
}

impl WordPress {
    /// Starts a server whose WordPress is not installed yet; `lines` follow the demo's own configuration.
    pub fn started(lines: &str) -> Self {
        let httpd = demos(&["wordpress"], lines);
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
        let url = format!("http://{}/wordpress", self.server.address());
        wordpress_script(&["install", &url, &self.path("data/wordpress")])
    }

    /// Makes the site's folders ready for a start.
    pub fn prepare(&self) {
        wordpress_script(&["prepare", &self.path("data/wordpress")]);
    }

    /// The password of the user `admin`.
    pub fn password(&self) -> String {
        let password = fs::read_to_string(self.path("data/wordpress/password"))
            .expect("the installer keeps the password");
        password.trim().to_owned()
    }

    /// A visitor who has logged in as `admin`.
    pub fn admin(&self) -> Browser {
        let mut admin = Browser::new(&self.server);
        admin.get("/wordpress/wp-login.php").expect(200);
        let password = self.password();
        let fields = [("log", "admin"), ("pwd", &password), ("testcookie", "1")];
        let dashboard = admin
            .post("/wordpress/wp-login.php", &fields)
            .expect(200)
            .text();
        assert!(
            dashboard.contains("id=\"dashboard-widgets\""),
            "no dashboard after the log-in: {dashboard}"
        );
        admin
    }

    /// Address of the installer's first post: permalinks begin with the day.
    pub fn first_post(&self) -> String {
        const NAME: &str = "/hello-world/";
        let front = self.get("/wordpress/").expect(200).text();
        let end = front
            .find(NAME)
            .unwrap_or_else(|| panic!("no permalink of the first post: {front}"));
        let start = front[..end]
            .rfind("/wordpress/")
            .expect("the site lives below /wordpress");
        front[start..end + NAME.len()].to_owned()
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
