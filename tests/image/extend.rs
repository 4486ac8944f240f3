//! One's own program on the slim image: what docs/image.md shows.

use std::fs;

use mod_wasm_tests::{Document, guest};

use crate::commands::{Reader, Served};
use crate::docker::{docker_output, unique_name};

const CHAPTER: &str = "\n## Your own program\n";

/// The image that a reader builds; it is removed when it is dropped.
struct BuiltImage(String);

impl Drop for BuiltImage {
    fn drop(&mut self) {
        docker_output(["rmi", &self.0]);
    }
}

/// A reader who has a program and the manual's snippet for it.
fn reader(manual: &Document, image: &str) -> Reader {
    let reader = Reader::new(&[("hello", image)]);
    let program = fs::read(guest("hello_wasm")).expect("a guest is readable");
    reader.file("hello.wasm", program);
    reader.file("httpd.conf", manual.code_after(CHAPTER, "apache"));
    reader
}

/// Whether httpd had to compile something before it answered.
fn answers(reader: &Reader, served: &Served) -> bool {
    served.wait_healthy();
    let page = reader.visitor().get("/hello").expect(200).text();
    assert!(page.contains("Hello from WebAssembly"), "{page}");
    served.output().contains("WASM0020")
}

#[test]
fn five_lines_add_a_program_and_nothing_is_compiled_at_its_start() {
    let manual = Document::read("docs/image.md");
    let image = BuiltImage(unique_name());
    let reader = reader(&manual, &image.0);
    let dockerfile = manual.code_after(CHAPTER, "dockerfile");
    assert_eq!(dockerfile.lines().count(), 5, "{dockerfile}");
    reader.file("Dockerfile", reader.adapt(dockerfile));

    let commands = manual.code_after(CHAPTER, "sh");
    let (build, run) = commands.split_once('\n').expect("it is built, then run");
    reader.run(build);
    let served = reader.serve(run);
    assert!(
        !answers(&reader, &served),
        "something was compiled: {}",
        served.output()
    );
    served.interrupt();
}

#[test]
fn a_mounted_program_is_compiled_at_the_start() {
    let manual = Document::read("docs/image.md");
    let reader = reader(&manual, "hello");
    let served = reader.serve(manual.code_after("\nWithout building an image", "sh"));
    assert!(
        answers(&reader, &served),
        "nothing was compiled: {}",
        served.output()
    );
    served.interrupt();
}
