//! What the log says about where a program trapped.

use mod_wasm_tests::{Server, Site, endpoint, guest};

/// Asks for a page whose program traps, and returns the lines of its backtrace.
#[track_caller]
fn backtrace(server: &Server) -> Vec<String> {
    server.get("/x").expect(500);
    server.expect_log("WASM0050");
    let lines = server.log_with("WASM0071").into_iter();
    lines.map(|line| line.message).collect()
}

#[test]
fn a_trap_is_followed_by_its_call_stack() {
    let site = Site::new();
    let wasm = wat::parse_str(
        r#"(module (func $inner unreachable) (func $outer (export "_start") (call $inner)))"#,
    );
    let path = site.file("x.wasm", wasm.expect("the text is right"));
    let lines = backtrace(&site.start(endpoint("/x", &path, "")));
    assert!(lines.len() == 2, "{lines:?}");
    assert!(
        lines[0].contains("0: ") && lines[0].ends_with(" inner"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("1: ") && lines[1].ends_with(" outer"),
        "{lines:?}"
    );
}

#[test]
fn a_stripped_module_says_so() {
    let site = Site::new();
    let wasm = wat::parse_str(r#"(module (func (export "_start") unreachable))"#);
    let path = site.file("x.wasm", wasm.expect("the text is right"));
    let lines = backtrace(&site.start(endpoint("/x", &path, "")));
    assert!(lines[0].ends_with(" function 0"), "{lines:?}");
    assert!(lines[1].contains("the module was stripped"), "{lines:?}");
}

#[test]
fn names_cannot_forge_lines_of_a_backtrace() {
    let site = Site::new();
    let wasm = wat::parse_str(r#"(module (func (@name "a\n1: b") (export "_start") unreachable))"#);
    let path = site.file("x.wasm", wasm.expect("the text is right"));
    let lines = backtrace(&site.start(endpoint("/x", &path, "")));
    assert!(
        lines.len() == 1 && lines[0].ends_with(" a?1: b"),
        "{lines:?}"
    );
}

#[test]
fn the_call_stack_is_not_logged_above_its_level() {
    let conf = endpoint("/x", &guest("trap_unreachable"), "") + "LogLevel wasm:notice";
    assert_eq!(backtrace(&Site::new().start(conf)), Vec::<String>::new());
}
