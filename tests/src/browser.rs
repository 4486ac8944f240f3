//! A visitor who keeps cookies and follows redirects.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::request::Request;
use crate::response::Response;
use crate::server::Server;

/// A file in a form.
pub struct Upload<'a> {
    pub field: &'a str,
    pub name: &'a str,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
}

/// A visitor of one server.
#[derive(Clone)]
pub struct Browser {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(server: &Server) -> Self {
        Self::at(server.address())
    }

    /// A visitor of whatever serves at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            cookies: BTreeMap::new(),
        }
    }

    /// A request to the server that this visitor visits; [`once`](Self::once) sends it with the cookies.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(self.address, method, target)
    }

    /// Opens a page, following redirects to this server.
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Response {
        let response = self.once(self.request("GET", target));
        self.follow(response)
    }

    /// Posts a form, following redirects to this server.
    #[track_caller]
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.once(self.request("POST", target).form(fields));
        self.follow(response)
    }

    /// Uploads a file with a form, following redirects to this server.
    #[track_caller]
    pub fn upload(&mut self, target: &str, fields: &[(&str, &str)], file: &Upload) -> Response {
        const BOUNDARY: &str = "a-boundary-that-no-file-of-a-test-contains";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend_from_slice(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .as_bytes(),
            );
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
            file.field, file.name, file.content_type
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file.bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self
            .request("POST", target)
            .header(
                "Content-Type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(body);
        let response = self.once(request);
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
            response = self.once(self.request("GET", &target));
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
            .strip_prefix(&format!("http://{}", self.address))
            .unwrap_or_else(|| panic!("a redirect leaves the server: {location}"))
            .to_owned()
    }
}
