//! The WordPress demo: every request of a real WordPress in a fresh sandbox, as a visitor and an editor see it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mod_wasm_tests::visits::editor;
use mod_wasm_tests::{Browser, Response, Upload, WordPress, fetched};

#[test]
fn the_first_start_installs_wordpress_and_the_second_does_not() {
    let demo = WordPress::started("");
    for target in [
        "/wordpress",
        "/wordpress/",
        "/wordpress/wp-admin/install.php",
        "/wordpress/wp-includes/css/dashicons.min.css",
    ] {
        let answer = demo.get(target).expect(503);
        assert_eq!(answer.header("Retry-After"), Some("5"), "{target}");
    }
    demo.get("/").expect(200);
    let guess = demo
        .request("GET", "/wordpress/wp-admin/install.php")
        .header("X-Installer", "/../../keys/keys.php");
    guess.send().expect(503);

    let told = demo.install();
    let password = demo.password();
    assert!(
        told.contains("user admin") && told.contains(&password),
        "{told}"
    );
    assert!(password.len() >= 16, "{password}");
    let mode = |path: &str| {
        fs::metadata(demo.path(path))
            .expect("the installer made it")
            .permissions()
            .mode()
    };
    assert_eq!(mode("data/wordpress/password") & 0o777, 0o600);
    assert_eq!(mode("data/wordpress/keys") & 0o777, 0o750);
    let left: Vec<_> = fs::read_dir(demo.path("data/wordpress/state"))
        .expect("the installer's folder is ours")
        .map(|entry| entry.expect("the folder is readable").file_name())
        .filter(|name| name.to_string_lossy().starts_with("installer"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    let mut visitor = Browser::new(&demo);
    let front = visitor.get("/wordpress").expect(200).text();
    assert!(
        front.contains("WordPress in WebAssembly") && front.contains("</html>"),
        "{front}"
    );

    let keys = fs::read(demo.path("data/wordpress/keys/keys.php")).expect("the keys are made");
    demo.prepare();
    assert_eq!(
        fs::read(demo.path("data/wordpress/keys/keys.php")).expect("the keys are made"),
        keys
    );
    assert_eq!(demo.install(), "", "a second start has nothing to tell");
    assert_eq!(demo.password(), password);
    demo.admin();
}

#[test]
fn a_new_password_takes_the_old_ones_place() {
    const CHOSEN: &str = r#"it's a "pass\word": 50% of $HOME & <ü> #"#;
    let demo = WordPress::installed("");
    let old = demo.password();
    let told = demo.reset_password(None);
    let new = demo.password();
    assert!(old != new && told.contains(&new), "{told}");
    editor::is_refused(demo.address(), &old);
    editor::log_in(demo.address(), &new);

    let told = demo.reset_password(Some(CHOSEN));
    assert!(!told.contains(CHOSEN), "{told}");
    editor::is_refused(demo.address(), &new);
    editor::log_in(demo.address(), CHOSEN);
    let left = ["password", "keys/new-password"]
        .map(|name| demo.path(&format!("data/wordpress/{name}")))
        .map(|path| Path::new(&path).exists());
    assert_eq!(left, [false, false], "a chosen password stayed in a file");
}

#[test]
fn a_password_that_wordpress_gives_nobody_is_not_kept() {
    let demo = WordPress::installed("");
    let old = demo.password();
    demo.add_page(
        "rename.php",
        "<?php $pdo = new PDO('sqlite:' . __DIR__ . '/wp-content/database/.ht.sqlite');
        echo $pdo->exec(\"UPDATE wp_users SET user_login = 'chief' WHERE user_login = 'admin'\");",
    );
    assert_eq!(demo.get("/wordpress/rename.php").expect(200).text(), "1");
    let output = demo.script("password").output();
    let output = output.expect("scripts/wordpress runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    demo.expect_log("there is no user admin");
    assert_eq!(demo.password(), old);
    let left = demo.path("data/wordpress/keys/new-password");
    assert!(!Path::new(&left).exists());
}

#[test]
fn behind_a_proxy_every_address_is_the_public_one() {
    let demo = WordPress::behind("https://www.example.org");
    for host in ["www.example.org", "internal:8080"] {
        editor::is_at(demo.address(), host, "https://www.example.org");
    }
}

/// What a program sends that has an application password of the user `admin`: a new one, made by WordPress.
fn application_password(demo: &WordPress) -> String {
    demo.add_page(
        "application-password.php",
        "<?php require 'wp-load.php';
        [$password] = WP_Application_Passwords::create_new_application_password(
            get_user_by('login', 'admin')->ID, ['name' => 'a program']);
        echo 'Basic ', base64_encode(\"admin:$password\");",
    );
    let page = demo.get("/wordpress/application-password.php");
    page.expect(200).text()
}

/// WordPress's answer to the question who is asking.
fn who_am_i(demo: &WordPress, authorization: &str) -> Response {
    let request = demo.request("GET", "/wordpress/wp-json/wp/v2/users/me?context=edit");
    request.header("Authorization", authorization).send()
}

#[test]
fn behind_tls_application_passwords_are_accepted() {
    let demo = WordPress::behind("https://www.example.org");
    let answer = who_am_i(&demo, &application_password(&demo)).expect(200);
    let user: serde_json::Value =
        serde_json::from_str(&answer.text()).expect("REST answers in JSON");
    assert_eq!(user["username"], "admin");
    // "admin:wrong"
    who_am_i(&demo, "Basic YWRtaW46d3Jvbmc=").expect(401);
    demo.get("/wordpress/wp-json/wp/v2/users/me").expect(401);
}

#[test]
fn without_tls_wordpress_refuses_application_passwords() {
    let demo = WordPress::installed("");
    let answer = who_am_i(&demo, &application_password(&demo)).expect(401);
    assert!(answer.text().contains("rest_not_logged_in"), "{answer:?}");
}

#[test]
fn an_editor_writes_and_visitors_read_search_and_comment() {
    let demo = WordPress::installed("");
    let mut visitor = Browser::new(&demo);
    let post = demo.first_post();
    let page = visitor.get(&post).expect(200).text();
    assert!(
        page.contains("Hello world!") && page.contains("wp-comments-post.php"),
        "{page}"
    );
    static_files_come_from_httpd(&demo);
    only_names_that_end_in_php_are_programs(&demo);
    what_is_private_stays_private(&demo);

    editor::is_refused(demo.address(), "wrong");

    let mut admin = demo.admin();
    every_page_of_the_menu_works(&mut admin);
    let image = upload_image(&demo, &mut admin);
    let picture = format!("<p>The zebrafish: <img src='{image}'></p>");
    editor::publish(&mut admin, "About fish", "about-fish", &picture);
    let found = visitor.get("/wordpress/?s=zebrafish").expect(200).text();
    assert!(found.contains("About fish"), "{found}");
    let page = visitor
        .get("/wordpress/?name=about-fish")
        .expect(200)
        .text();
    assert!(
        page.contains("About fish") && page.contains(&image),
        "{page}"
    );

    a_visitors_comment_waits_for_approval(&demo, &post);
    comment(&mut admin, &post, "Written from inside a sandbox.");
    let page = Browser::new(&demo).get(&post).expect(200).text();
    assert!(page.contains("Written from inside a sandbox."), "{page}");
    demo.graceful();
    let page = Browser::new(&demo).get(&post).expect(200).text();
    assert!(page.contains("Written from inside a sandbox."), "{page}");
}

fn static_files_come_from_httpd(demo: &WordPress) {
    let style = "wp-includes/css/dashicons.min.css";
    let answer = demo.get(&format!("/wordpress/{style}")).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("text/css"));
    // httpd's own handler alone tells this.
    assert!(answer.header("ETag").is_some(), "{:?}", answer.headers);
    let original =
        fs::read(fetched(&format!("wordpress-6.5.5/{style}"))).expect("the file was fetched");
    assert_eq!(answer.body(), original);
}

fn only_names_that_end_in_php_are_programs(demo: &WordPress) {
    const CODE: &str = "<?php echo 6 * 7;";
    demo.add_page("photo.php.jpg", CODE);
    let answer = demo.get("/wordpress/photo.php.jpg").expect(200);
    assert_eq!(answer.text(), CODE);
}

fn what_is_private_stays_private(demo: &WordPress) {
    for name in ["wp-config.php", "readme.html"] {
        demo.get(&format!("/wordpress/{name}")).expect(403);
        demo.expect_log("AH01630");
    }
    for name in [
        "wp-content/database/.ht.sqlite",
        "wp-content/uploads/../../../keys/keys.php",
        "no-such-page",
    ] {
        let answer = demo.get(&format!("/wordpress/{name}"));
        assert!(
            [403, 404].contains(&answer.status),
            "{name}: {}",
            answer.status
        );
    }
    demo.add_page(
        "reach.php",
        "<?php foreach (['/app/x', '/app/wp-content/x', '/keys/x', '/php/x', '/etc/passwd', '/app/../x'] as $path) {
            if (@file_put_contents($path, 'x') !== false) echo \"WROTE $path\\n\";
        }
        foreach (['/etc/passwd', '/data', '/', '/app/../state/installed'] as $path) {
            if (@stat($path)) echo \"SAW $path\\n\";
        }
        foreach (['/tmp/x', '/app/wp-content/uploads/x', '/app/wp-content/database/x'] as $path) {
            if (file_put_contents($path, 'x') === false || !unlink($path)) echo \"NOT $path\\n\";
        }
        echo 'done';",
    );
    assert_eq!(demo.get("/wordpress/reach.php").expect(200).text(), "done");
}

/// Whatever the dashboard's menu leads to is shown whole; a warning of PHP's would be a line in the error log.
fn every_page_of_the_menu_works(admin: &mut Browser) {
    let dashboard = admin.get("/wordpress/wp-admin/").expect(200).text();
    let start = dashboard
        .find("id=\"adminmenu\"")
        .expect("the dashboard has a menu");
    let end = dashboard
        .find("id=\"collapse-menu\"")
        .expect("the menu has an end");
    let mut pages: Vec<String> = dashboard[start..end]
        .split("href='")
        .chain(dashboard[start..end].split("href=\""))
        .filter_map(|rest| rest.split(['\'', '"']).next())
        .filter(|target| target.contains(".php"))
        .map(|target| target.replace("&amp;", "&"))
        .collect();
    pages.extend([
        "site-health.php?tab=debug".to_owned(),
        "post.php?post=1&action=edit".to_owned(),
    ]);
    pages.sort();
    pages.dedup();
    assert!(pages.len() >= 20, "{pages:?}");
    for page in pages {
        let text = admin
            .get(&format!("/wordpress/wp-admin/{page}"))
            .expect(200)
            .text();
        assert!(text.contains("</html>"), "{page} is not whole: {text}");
    }
}

/// What follows `before` in a page, up to `after`.
#[track_caller]
fn between(page: &str, before: &str, after: char) -> String {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before:?} in {page}"));
    rest.split(after).next().unwrap_or(rest).to_owned()
}

/// Uploads a picture through the form of the media library; returns its address.
fn upload_image(demo: &WordPress, admin: &mut Browser) -> String {
    let picture = fs::read(fetched("wordpress-6.5.5/wp-admin/images/w-logo-blue.png"))
        .expect("WordPress has its logo");
    let form = admin
        .get("/wordpress/wp-admin/media-new.php")
        .expect(200)
        .text();
    let nonce = between(&form, "name=\"_wpnonce\" value=\"", '"');
    let upload = |name, content_type, bytes| Upload {
        field: "async-upload",
        name,
        content_type,
        bytes,
    };
    let fields = [
        ("html-upload", "Upload"),
        ("post_id", "0"),
        ("_wpnonce", nonce.as_str()),
    ];
    let target = "/wordpress/wp-admin/media-new.php";
    admin
        .upload(target, &fields, &upload("Logo.png", "image/png", &picture))
        .expect(200);
    let refused = admin
        .upload(
            target,
            &fields,
            &upload("shell.php", "application/x-php", b"<?php echo 1;"),
        )
        .text();
    assert!(refused.contains("not allowed to upload"), "{refused}");

    let library = admin
        .get("/wordpress/wp-admin/upload.php?mode=list")
        .expect(200)
        .text();
    let month = between(&library, "/wordpress/wp-content/uploads/", 'L');
    let path = format!("/wordpress/wp-content/uploads/{month}Logo.png");
    let answer = demo.get(&path).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("image/png"));
    assert_eq!(answer.body(), picture);
    let slots = fs::read_dir(demo.path("scratch")).expect("the start made it");
    let left = slots.flat_map(|slot| fs::read_dir(slot.expect("it is readable").path()));
    assert_eq!(left.flatten().count(), 0);
    path
}

fn comment(visitor: &mut Browser, post: &str, text: &str) {
    visitor.get(post).expect(200);
    let fields = [
        ("comment", text),
        ("comment_post_ID", "1"),
        ("comment_parent", "0"),
    ];
    let after = visitor
        .post("/wordpress/wp-comments-post.php", &fields)
        .expect(200)
        .text();
    assert!(after.contains(text), "{after}");
}

fn a_visitors_comment_waits_for_approval(demo: &WordPress, post: &str) {
    let after = editor::comment_as_stranger(&mut Browser::new(demo), "Said by a stranger.")
        .expect(200)
        .text();
    assert!(
        after.contains("awaiting moderation") && after.contains("Said by a stranger."),
        "{after}"
    );
    let page = Browser::new(demo).get(post).expect(200).text();
    assert!(!page.contains("Said by a stranger."), "{page}");
}
