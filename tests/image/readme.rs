//! The README's own `docker run` lines, as they are written.

use mod_wasm_tests::Document;

use crate::commands::Reader;
use crate::docker::Volume;

#[test]
fn the_readmes_docker_run_lines_show_the_landing_page() {
    let readme = Document::read("README.md");
    let lines: Vec<&str> = readme
        .code("sh")
        .into_iter()
        .filter(|block| block.contains("docker run"))
        .collect();
    assert!(!lines.is_empty(), "the README has no `docker run`");
    for line in lines {
        let volume = Volume::new();
        let reader = Reader::new(&[("mod_wasm-data", &volume.name)]);
        let served = reader.serve(line);
        served.wait_healthy();
        let page = reader.visitor().get("/").expect(200).text();
        assert!(page.contains("<h1>mod_wasm</h1>"), "{page}");
        let output = served.output();
        assert!(output.contains("user admin, password "), "{output}");
        served.interrupt();
    }
}
