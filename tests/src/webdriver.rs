//! The WebDriver protocol, as far as the tests need it: JSON over HTTP to a driver on this machine.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::request::Request;

/// Key of an element's reference in the protocol's JSON; the standard fixes this value.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser session at a driver.
pub(crate) struct Session {
    driver: SocketAddr,
    path: String,
}

impl Session {
    /// Begins a session with these capabilities.
    pub(crate) fn begin(driver: SocketAddr, capabilities: Value) -> Self {
        let body = json!({"capabilities": {"alwaysMatch": capabilities}});
        let answer = send(driver, "POST", "/session", &body)
            .unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let id = answer["sessionId"]
            .as_str()
            .expect("a new session has an id");
        Self {
            driver,
            path: format!("/session/{id}"),
        }
    }

    /// Posts a command; what it failed with where it did.
    pub(crate) fn try_post(&self, command: &str, body: &Value) -> Result<Value, String> {
        send(
            self.driver,
            "POST",
            &format!("{}/{command}", self.path),
            body,
        )
    }

    /// Posts a command that has to succeed.
    #[track_caller]
    pub(crate) fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body)
            .unwrap_or_else(|error| panic!("{command} {body}: {error}"))
    }

    /// Reads a property that has to be there.
    #[track_caller]
    pub(crate) fn get(&self, command: &str) -> Value {
        send(
            self.driver,
            "GET",
            &format!("{}/{command}", self.path),
            &Value::Null,
        )
        .unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

/// Whether the driver is ready for a session.
pub(crate) fn ready(driver: SocketAddr) -> bool {
    send(driver, "GET", "/status", &Value::Null).is_ok_and(|status| status["ready"] == true)
}

/// The id in an element's reference.
pub(crate) fn element_id(reference: &Value) -> Option<String> {
    reference[ELEMENT].as_str().map(str::to_owned)
}

/// The reference of an element, as a script's argument.
pub(crate) fn element_reference(id: &str) -> Value {
    json!({ELEMENT: id})
}

/// Sends one command. The `value` of the answer, or its error with the message's first line.
fn send(driver: SocketAddr, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let mut request = Request::new(driver, method, path);
    if method == "POST" {
        request = request
            .header("Content-Type", "application/json; charset=utf-8")
            .body(body.to_string());
    }
    let response = request.send();
    let text = response.text();
    let answer: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("the driver's answer is no JSON ({error}): {text}"));
    let value = &answer["value"];
    if response.status == 200 {
        return Ok(value.clone());
    }
    let message = value["message"].as_str().unwrap_or(&text);
    Err(message.lines().next().unwrap_or(message).to_owned())
}
