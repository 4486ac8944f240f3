//! The data volume: one that cannot be used, one that fills up, and one that is copied.

use mod_wasm_tests::Browser;
use mod_wasm_tests::visits::editor;

use crate::docker::{Run, Volume};

/// A volume in memory, with these options of mount(8).
fn tmpfs(options: &str) -> Volume {
    let options = format!("o={options}");
    Volume::with(&[
        "--opt",
        "type=tmpfs",
        "--opt",
        "device=tmpfs",
        "--opt",
        &options,
    ])
}

#[test]
fn a_volume_that_cannot_be_used_ends_the_start_with_what_to_do() {
    for (volume, target, said) in [
        (
            tmpfs("size=4m,uid=33"),
            "/data",
            "the data volume /data is full: 4 MiB free, and WordPress needs 8",
        ),
        (
            Volume::new(),
            "/data:ro",
            "user 33 cannot write to the data volume /data: Read-only file system. Mount it writable, without :ro",
        ),
        (
            tmpfs("size=16m,mode=700"),
            "/data",
            "user 33 cannot write to the data volume /data: Permission denied. Give it to that user: \
             docker run --rm --user root -v VOLUME:/data IMAGE sh -c \"mkdir -p /data/wordpress && chown -R 33 /data\"",
        ),
    ] {
        let output = Run::demo().volume(&volume, target).refused();
        let expected = format!(
            "wordpress: {said}\nhttpd-foreground: wordpress failed, so httpd is not started\n"
        );
        assert_eq!(output, expected);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_reading_goes_on() {
    let volume = tmpfs("size=16m,uid=33");
    let container = Run::demo()
        .volume(&volume, "/data")
        .env("WORDPRESS_PASSWORD", "of this test")
        .start();
    container.wait_healthy();
    let address = container.address();
    let mut admin = editor::log_in(address, "of this test");
    let post = editor::first_post(&mut admin);

    container.exec(&["sh", "-c", "! cat /dev/zero >/data/filler 2>/dev/null"]);
    let mut visitor = Browser::at(address);
    let refused = editor::comment_as_stranger(&mut visitor, "Of no weight.").expect(507);
    assert!(refused.text().contains("could not be saved"), "{refused:?}");
    editor::try_log_in(&mut visitor, "of this test").expect(507);
    for target in [post.as_str(), "/wordpress/", "/wordpress/?s=hello"] {
        let page = visitor.get(target).expect(200).text();
        assert!(page.contains("Hello world!"), "{page}");
    }
    admin.get("/wordpress/wp-admin/").expect(200);
    let log = container.logs().stderr;
    assert!(
        log.contains("the data cannot be written, its volume may be full: SQLite says \"database or disk is full\""),
        "{log}"
    );

    let another = Run::demo().volume(&volume, "/data").start();
    another.wait_healthy();
    let warning = "==> the data volume /data is nearly full: 0 MiB free";
    assert!(another.logs().stderr.contains(warning));
    another.get(&post).expect(200);
    drop(another);

    container.exec(&["rm", "/data/filler"]);
    let page = visitor.get(&post).expect(200).text();
    assert!(!page.contains("Of no weight."), "{page}");
    let accepted = editor::comment_as_stranger(&mut visitor, "Written afterwards.");
    assert!(accepted.expect(200).text().contains("Written afterwards."));
}

#[test]
fn a_volume_without_room_for_another_file_can_be_read() {
    let volume = tmpfs("size=16m,uid=33,nr_inodes=64");
    let container = Run::demo().volume(&volume, "/data").start();
    container.wait_healthy();
    let fill = "n=0; while touch /data/$n 2>/dev/null; do n=$((n + 1)); done";
    container.exec(&["sh", "-c", fill]);
    container.get("/wordpress/").expect(200);
    container.get("/php-hello/").expect(200);
}
