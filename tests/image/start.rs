//! The first minute of a container.

use crate::docker::Run;

#[test]
fn the_first_answer_comes_without_compiling_anything() {
    let container = Run::demo().start();
    container.wait_healthy();
    container.get("/hello-wasm").expect(200);
    let said = container.logs().stderr;
    assert!(
        !said.contains("WASM0020"),
        "something was compiled:\n{said}"
    );
}
