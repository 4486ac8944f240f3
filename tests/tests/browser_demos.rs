//! The demos in a real browser: forms, uploads and buttons as a visitor uses them.

use mod_wasm_tests::{Chromium, demos, visits};

#[test]
fn the_request_viewer_shows_what_the_browser_sent() {
    let server = demos(&["http-request-viewer"], "").start();
    visits::demos::request_viewer(&Chromium::start(&server));
}

#[test]
fn prettyfy_colours_an_uploaded_file() {
    let server = demos(&["prettyfy"], "").start();
    visits::demos::prettyfy_upload(&Chromium::start(&server));
}

#[test]
fn prettyfys_hole_leads_nowhere() {
    let server = demos(&["prettyfy"], "").start();
    visits::demos::prettyfy_hole(&Chromium::start(&server));
}

#[test]
fn every_button_of_the_sandbox_tour_explains_what_became_of_it() {
    let server = demos(&["sandbox"], "").start();
    visits::demos::sandbox_tour(&Chromium::start(&server));
    server.allow_log("sandbox_tour.wasm");
}
