//! Pieces of configuration that many tests want.

/// A `<Location>` that answers with this Wasm file; `lines` stand inside the section too.
pub fn endpoint(location: &str, wasm: &str, lines: &str) -> String {
    format!(
        "<Location {location}>\nSetHandler wasm-handler\nWasmModule {wasm}\n{lines}\n</Location>\n"
    )
}

/// Like [`endpoint`], in CGI mode.
pub fn cgi_endpoint(location: &str, wasm: &str, lines: &str) -> String {
    endpoint(location, wasm, &format!("WasmEnableCGI On\n{lines}"))
}
