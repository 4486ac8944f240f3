//! A visitor who keeps cookies and follows redirects.

use std::collections::BTreeMap;

use crate::request::Request;
use crate::response::Response;
use crate::server::Server;

/// A visitor of one server.
pub struct Browser<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Self {
        Self {
            server,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a page, following redirects to this server.
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Response {
        let response = self.once(self.server.request("GET", target));
        self.follow(response)
    }

    /// Posts a form, following redirects to this server.
    #[track_caller]
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.once(self.server.request("POST", target).form(fields));
        self.follow(response)
    }

    /// Sends a request with the cookies and keeps those that come back.
    pub fn once(&mut self, mut request: Request) -> Response {
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("Cookie", &pairs.join("; "));
        }
        let response = request.send();
        for cookie in response.header_values("Set-Cookie") {
            let pair = cookie.split(';').next().unwrap_or(cookie);
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies
                    .insert(name.trim().to_owned(), value.to_owned());
            }
        }
        response
    }

    #[track_caller]
    fn follow(&mut self, mut response: Response) -> Response {
        for _ in 0..10 {
            if !(301..=303).contains(&response.status) {
                return response;
            }
            let location = response
                .header("Location")
                .expect("a redirect has a Location");
            let target = self.local_target(location);
            response = self.once(self.server.request("GET", &target));
        }
        panic!("ten redirects and no page: {:?}", response.headers);
    }

    /// Path and query of an address on this server.
    #[track_caller]
    fn local_target(&self, location: &str) -> String {
        let location = location.split('#').next().unwrap_or(location);
        if location.starts_with('/') {
            return location.to_owned();
        }
        location
            .strip_prefix(&format!("http://{}", self.server.address()))
            .unwrap_or_else(|| panic!("a redirect leaves the server: {location}"))
            .to_owned()
    }
}
