"""A CGI program that shows the request it was called for."""

import html
import os
import sys
from urllib.parse import parse_qsl

SHOWN_BYTES = 64 * 1024

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>HTTP request viewer</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Your request</h1>
<pre>{request_line}</pre>
<h2>Query</h2>
{query}
<h2>Headers</h2>
{headers}
<h2>Body</h2>
{body}
<h2>Send another</h2>
<form action="{address}">
<p><label>Some text <input name="text" maxlength="200"></label></p>
<p><button formmethod="get">Send with GET</button> <button formmethod="post">Send with POST</button></p>
</form>
<p class="note">Shown by Python {version} in WebAssembly. <a href="/">All demos</a></p>
</main>
</body>
</html>
"""


def variable(name):
    return os.environ.get(name, "")


def table(caption, pairs):
    if not pairs:
        return "<p>None.</p>"
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in pairs
    )
    return f'<table aria-label="{caption}">\n{rows}\n</table>'


def headers():
    """The request's header fields, as CGI passes them on: in capitals, with underscores."""
    found = {name[5:]: value for name, value in os.environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if variable(name):
            found[name] = variable(name)
    return sorted((name.replace("_", "-").title(), value) for name, value in found.items())


def body():
    """The body as text. All of it is read, so that its size is true; its beginning is shown."""
    shown = sys.stdin.buffer.read(SHOWN_BYTES)
    size = len(shown)
    while piece := sys.stdin.buffer.read(SHOWN_BYTES):
        size += len(piece)
    if size == 0:
        return "<p>None.</p>"
    more = f", of which the first {SHOWN_BYTES} are shown" if size > SHOWN_BYTES else ""
    text = shown.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return f"<p>{size} bytes{more}:</p>\n<pre>{html.escape(text)}</pre>"


def main():
    request_line = f"{variable('REQUEST_METHOD')} {variable('REQUEST_URI')} {variable('SERVER_PROTOCOL')}"
    page = PAGE.format(
        request_line=html.escape(request_line),
        query=table("Query", parse_qsl(variable("QUERY_STRING"), keep_blank_values=True)),
        headers=table("Headers", headers()),
        body=body(),
        address=html.escape(variable("SCRIPT_NAME")),
        version=sys.version.split()[0],
    )
    # What a client sends need not be UTF-8.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    print("Content-Type: text/html; charset=utf-8\n")
    print(page, end="")


main()
