//! WordPress in a real browser. A warning of PHP's on any page would be a line in the error log, and fail the test.

use mod_wasm_tests::{WordPress, visits};

#[test]
fn an_editor_publishes_a_post_with_an_image_and_a_visitor_reads_and_comments() {
    let demo = WordPress::installed("");
    visits::wordpress::publish_read_and_comment(demo.address(), &demo.password());
}
