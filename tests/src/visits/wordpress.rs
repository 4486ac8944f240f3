//! Visits to WordPress in a real browser, from the front page to a published post with an image.

use std::net::SocketAddr;

use crate::chromium::Chromium;
use crate::paths::fetched;

/// An editor publishes a post with an image, and a visitor reads it, comments on it and finds it.
pub fn publish_read_and_comment(address: SocketAddr, password: &str) {
    let visitor = Chromium::at(address);
    the_front_page_has_its_styles(&visitor);

    let editor = Chromium::at(address);
    log_in(&editor, password);
    the_dashboards_pages_are_whole(&editor);
    let permalink = publish_a_post(&editor);
    // One browser is enough work for two processors.
    drop(editor);

    read_it(&visitor, &permalink);
    comment_on_it(&visitor, &permalink);
    find_it(&visitor, &permalink);
}

fn the_front_page_has_its_styles(visitor: &Chromium) {
    visitor.open("/wordpress/");
    visitor.wait_for("Hello world!");
    let title = visitor
        .find("h2 a, h1 a")
        .ask("return getComputedStyle(arguments[0]).fontSize");
    assert_ne!(
        title, "24px",
        "the title looks as it does without any style"
    );
    let failed = visitor.run(
        "return performance.getEntriesByType('resource')
            .filter(one => one.responseStatus !== 200 && new URL(one.name).pathname.startsWith('/wordpress/'))
            .map(one => `${one.responseStatus} ${one.name}`)",
        &[],
    );
    assert_eq!(
        failed,
        serde_json::json!([]),
        "parts of the page are missing"
    );
}

fn log_in(editor: &Chromium, password: &str) {
    editor.open("/wordpress/wp-login.php");
    // The page takes the cursor there a moment after it has loaded; whoever types earlier loses it in the middle of a word.
    editor.wait("the cursor in the first field", || {
        (editor.focused().ask("return arguments[0].id") == "user_login").then_some(())
    });
    editor.find("#user_login").type_text("admin");
    editor.find("#user_pass").type_text(password);
    editor.find("#wp-submit").follow();
    editor.wait_for("At a Glance");
    assert_eq!(editor.target(), "/wordpress/wp-admin/");
    settle(editor);
}

/// Lets the page's own requests finish. Whoever leaves earlier ends their runs, and one that ends within a transaction
/// keeps the database locked until its time limit.
fn settle(editor: &Chromium) {
    editor.wait("the end of the page's requests", || {
        let quiet = "return document.readyState === 'complete' && !(window.jQuery?.active > 0)";
        (editor.run(quiet, &[]) == true).then_some(())
    });
}

fn the_dashboards_pages_are_whole(editor: &Chromium) {
    for (page, heading) in [
        ("edit.php", "Posts"),
        ("upload.php", "Media Library"),
        ("edit-comments.php", "Comments"),
        ("plugins.php", "Plugins"),
        ("users.php", "Users"),
        ("options-permalink.php", "Permalink Settings"),
    ] {
        editor.open(&format!("/wordpress/wp-admin/{page}"));
        let shown = editor.find(".wrap h1").text();
        assert!(shown.starts_with(heading), "{page}: {shown}");
        editor.find("#footer-thankyou");
        settle(editor);
    }
}

/// Writes and publishes a post in the block editor; returns its permalink.
fn publish_a_post(editor: &Chromium) -> String {
    const TITLE: &str = ".wp-block-post-title";
    editor.open("/wordpress/wp-admin/post-new.php");
    editor.wait("the canvas", || {
        in_canvas(editor, || editor.has(TITLE).then_some(()))
    });
    dismiss_guide(editor);
    type_in_canvas(editor, TITLE, "About zebrafish\n");
    type_in_canvas(
        editor,
        "p.block-editor-rich-text__editable",
        "They are striped.\n/image",
    );
    editor.click(".components-autocomplete__result");
    upload(editor);
    dismiss_guide(editor);

    editor.click(".editor-post-publish-panel__toggle:not([aria-disabled=true])");
    editor.click(".editor-post-publish-button:not([aria-disabled=true])");
    let link = editor.find(".post-publish-panel__postpublish-header a");
    assert_eq!(link.text(), "About zebrafish");
    settle(editor);
    link.follow();
    editor.target()
}

/// Gives the image's block a file. An editor that is still starting takes one without doing anything with it.
fn upload(editor: &Chromium) {
    const IMAGE: &str = ".wp-block-image img[src*='/wp-content/uploads/']";
    const FIELD: &str = ".wp-block-image input[type=file]";
    let picture = fetched("wordpress-6.5.5/wp-admin/images/w-logo-blue.png");
    let picture = picture.to_str().expect("project paths are UTF-8");
    type_in_canvas(editor, FIELD, picture);
    let mut looks = 0;
    editor.wait("the uploaded image", || {
        looks += 1;
        in_canvas(editor, || {
            if looks % 100 == 0 {
                editor.try_type(FIELD, picture);
            }
            editor.has(IMAGE).then_some(())
        })
    });
}

/// Types into what the canvas shows, as soon as it takes it.
fn type_in_canvas(editor: &Chromium, css: &str, text: &str) {
    editor.wait(&format!("{css} in the canvas"), || {
        in_canvas(editor, || editor.try_type(css, text))
    });
}

/// Does something in the frame that shows the post, if it is there now. The editor makes that frame anew while it starts, so it is looked
/// up each time.
fn in_canvas<T>(editor: &Chromium, mut act: impl FnMut() -> Option<T>) -> Option<T> {
    editor.try_enter_frame("iframe[name=editor-canvas]")?;
    let done = act();
    editor.leave_frames();
    done
}

/// A guide greets whoever is here for the first time, once more when the editor has made itself anew.
fn dismiss_guide(editor: &Chromium) {
    const GUIDE: &str = ".components-modal__screen-overlay";
    const CLOSE: &str = ".components-modal__screen-overlay button[aria-label=Close]";
    editor.wait("the guide's end", || {
        editor.try_click(CLOSE);
        (!editor.has(GUIDE)).then_some(())
    });
}

fn read_it(visitor: &Chromium, permalink: &str) {
    assert!(
        permalink.ends_with("/about-zebrafish/") && !permalink.contains('?'),
        "not pretty: {permalink}"
    );
    visitor.open("/wordpress/");
    visitor.link("About zebrafish").follow();
    assert_eq!(visitor.target(), permalink);
    visitor.wait_for("They are striped.");
    let image = visitor.find(".wp-block-image img");
    visitor.wait("the image's pixels", || {
        let width = image.ask("arguments[0].scrollIntoView(); return arguments[0].naturalWidth");
        width.as_u64().filter(|&width| width > 0)
    });
}

fn comment_on_it(visitor: &Chromium, permalink: &str) {
    visitor.find("#comment").type_text("Said by a visitor.");
    visitor.find("#author").type_text("Visitor");
    visitor.find("#email").type_text("visitor@example.test");
    visitor.find("#commentform [type=submit]").follow();
    visitor.wait_for("Said by a visitor.");
    visitor.wait_for("awaiting moderation");
    assert!(visitor.target().starts_with(permalink));
}

fn find_it(visitor: &Chromium, permalink: &str) {
    visitor.open("/wordpress/?s=striped");
    visitor.wait_for("About zebrafish");
    visitor.link("About zebrafish").follow();
    assert_eq!(visitor.target(), permalink);
    visitor.open("/wordpress/?s=lionfish");
    let text = visitor.text();
    assert!(!text.contains("About zebrafish"), "{text}");
}
