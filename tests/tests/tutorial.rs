//! `docs/tutorial.md`, followed as a reader would.

use mod_wasm_tests::Walkthrough;

#[test]
fn the_tutorial_works_as_written() {
    let reader = Walkthrough::of(
        "docs/tutorial.md",
        "/home/you/wasm-tutorial",
        &[
            ("clang", "clang"),
            ("rustc", "rustc"),
            ("curl", "curl"),
            ("apache2", "apache2-bin"),
        ],
    );
    let artifacts = reader.fetched();
    assert!(artifacts.len() >= 4, "{artifacts:?}");
    let followed = reader.follow();
    assert!(
        followed.ran >= 14 && followed.compared >= 5,
        "{} blocks ran, {} were compared",
        followed.ran,
        followed.compared
    );
    assert_eq!(reader.complaints(&[]), Vec::<String>::new());
}
