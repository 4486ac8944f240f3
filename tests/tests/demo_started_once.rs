//! The demo of a program that is started once, and its twins in C and Rust.

use mod_wasm_tests::{Document, Server, Site, cgi_endpoint, demos, guest};

fn ask(server: &Server, target: &str) -> String {
    server.get(target).expect(200).text()
}

/// The number in front of these words.
#[track_caller]
fn number_before(text: &str, words: &str) -> f64 {
    let (before, _) = text
        .split_once(words)
        .unwrap_or_else(|| panic!("no {words:?} in {text}"));
    let word = before.split_whitespace().next_back();
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number before {words:?} in {text}"))
}

fn token(text: &str) -> &str {
    let (_, rest) = text.split_once("A token: ").expect("it tells a token");
    rest.lines().next().unwrap_or_default()
}

#[test]
fn both_ways_answer_the_same_and_one_of_them_sooner() {
    let server = demos(&["started-once"], "").start();
    for (number, verdict) in [("2999999", "prime"), ("2999998", "not prime")] {
        let once = ask(&server, &format!("/started-once?{number}"));
        let each_time = ask(&server, &format!("/started-once/each-time?{number}"));
        for text in [&once, &each_time] {
            assert!(
                text.starts_with("There are 216816 primes below 3000000.\n"),
                "{text}"
            );
            assert!(
                text.contains(&format!("\n{number} is {verdict}.\n")),
                "{text}"
            );
        }
    }
    // The quickest of a few: others may be at work on this machine.
    let quickest = |target: &str| {
        let times = (0..5).map(|_| number_before(&ask(&server, target), " ms."));
        times.fold(f64::INFINITY, f64::min)
    };
    let [fast, slow] = ["/started-once", "/started-once/each-time"].map(quickest);
    assert!(fast * 3.0 < slow, "{fast} ms and {slow} ms");
}

#[test]
fn the_table_is_of_the_start_and_the_token_of_the_request() {
    let server = demos(&["started-once"], "").start();
    let first = ask(&server, "/started-once");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let second = ask(&server, "/started-once");
    let age = |text: &str| number_before(text, " seconds ago");
    assert!(age(&second) > age(&first), "{first}{second}");
    assert!(age(&ask(&server, "/started-once/each-time")) <= 1.0);
    assert_ne!(token(&first), token(&second));
}

#[test]
fn the_example_in_rust_answers_the_same_way() {
    let wasm = guest("started_once_rs");
    let conf = cgi_endpoint("/once", &wasm, "WasmPreinit On")
        + &cgi_endpoint("/each-time", &wasm, "WasmPreinit Off");
    let server = Site::new().start(conf);
    for target in ["/once?7", "/once?8", "/each-time?8"] {
        let text = ask(&server, target);
        let verdict = if target.ends_with('7') {
            "7 is prime.\n"
        } else {
            "8 is not prime.\n"
        };
        assert_eq!(
            text,
            format!("There are 216816 primes below 3000000.\n{verdict}"),
            "{target}"
        );
    }
}

#[test]
fn the_examples_readme_shows_a_configuration_that_works() {
    let readme = Document::read("examples/started-once/README.md");
    let conf = readme.code("apache").concat();
    let conf = conf.replace("/path/to/started_once.wasm", &guest("started_once"));
    let server = Site::new().start(conf);
    assert!(ask(&server, "/started-once?3").contains("3 is prime."));
    assert!(ask(&server, "/started-each-time?3").contains("3 is prime."));
}
