//! WordPress request by request: logging in, publishing, reading, commenting.

use std::net::SocketAddr;

use crate::browser::Browser;
use crate::request::Request;
use crate::response::Response;

const LOG_IN: &str = "/wordpress/wp-login.php";

/// Logs in as `admin`; what WordPress answers: the dashboard, or what is wrong.
pub fn try_log_in(browser: &mut Browser, password: &str) -> Response {
    browser.get(LOG_IN).expect(200);
    let fields = [("log", "admin"), ("pwd", password), ("testcookie", "1")];
    browser.post(LOG_IN, &fields)
}

/// A visitor who has logged in as `admin`.
#[track_caller]
pub fn log_in(address: SocketAddr, password: &str) -> Browser {
    let mut admin = Browser::at(address);
    let dashboard = try_log_in(&mut admin, password).expect(200).text();
    assert!(
        dashboard.contains("id=\"dashboard-widgets\""),
        "no dashboard after the log-in with {password:?}: {dashboard}"
    );
    admin
}

/// Asserts that nobody gets in with this password.
#[track_caller]
pub fn is_refused(address: SocketAddr, password: &str) {
    let page = try_log_in(&mut Browser::at(address), password)
        .expect(200)
        .text();
    assert!(
        page.contains("login_error"),
        "the password {password:?} was accepted: {page}"
    );
}

/// Address of the installer's first post: permalinks begin with the day.
#[track_caller]
pub fn first_post(visitor: &mut Browser) -> String {
    const NAME: &str = "/hello-world/";
    let front = visitor.get("/wordpress/").expect(200).text();
    let end = front
        .find(NAME)
        .unwrap_or_else(|| panic!("no permalink of the first post: {front}"));
    let start = front[..end]
        .rfind("/wordpress/")
        .expect("the site lives below /wordpress");
    front[start..end + NAME.len()].to_owned()
}

/// Publishes a post as the block editor does, through the REST API.
#[track_caller]
pub fn publish(admin: &mut Browser, title: &str, slug: &str, html: &str) {
    let nonce = admin
        .get("/wordpress/wp-admin/admin-ajax.php?action=rest-nonce")
        .expect(200)
        .text();
    let post =
        serde_json::json!({"title": title, "slug": slug, "status": "publish", "content": html});
    let request = admin
        .request("POST", "/wordpress/wp-json/wp/v2/posts")
        .header("Content-Type", "application/json")
        .header("X-WP-Nonce", &nonce)
        .body(post.to_string());
    let made = admin.once(request).expect(201).text();
    assert!(made.contains(slug), "{made}");
}

/// Comments on the first post as somebody whom the site does not know.
pub fn comment_as_stranger(visitor: &mut Browser, text: &str) -> Response {
    let fields = [
        ("comment", text),
        ("comment_post_ID", "1"),
        ("comment_parent", "0"),
        ("author", "Stranger"),
        ("email", "stranger@example.test"),
    ];
    visitor.post("/wordpress/wp-comments-post.php", &fields)
}

/// Asserts that the site names itself by this address only, whatever `host` a proxy in front of it names, and that none of
/// its pages leads elsewhere first.
#[track_caller]
pub fn is_at(server: SocketAddr, host: &str, public_url: &str) {
    let page = |target: &str| {
        let request = Request::new(server, "GET", target).host(host);
        request.send().expect(200).text()
    };
    let front = page("/wordpress/");
    let log_in = page(LOG_IN);
    for (text, link) in [
        (&front, format!("href=\"{public_url}/wordpress/")),
        (&log_in, format!("action=\"{public_url}{LOG_IN}\"")),
    ] {
        assert!(text.contains(&link), "no {link} for {host}: {text}");
        for other in [host, &server.to_string()] {
            assert!(
                !text.contains(&format!("http://{other}")),
                "{host} still stands in {text}"
            );
        }
    }
    let dashboard = Request::new(server, "GET", "/wordpress/wp-admin/").host(host);
    let location = dashboard.send().expect(302);
    let location = location.header("Location").unwrap_or_default();
    assert!(
        location.starts_with(&format!("{public_url}{LOG_IN}")),
        "{location}"
    );
}
