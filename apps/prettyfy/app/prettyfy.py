"""A CGI program that highlights the syntax of an uploaded file, or of an example, with Pygments."""

import html
import os
import sys
from email import message_from_bytes
from urllib.parse import parse_qs

from pygments import __version__ as pygments_version
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

EXAMPLES = "/examples"

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Prettyfy</title>
<link rel="stylesheet" href="/style.css">
<style>
{style}
</style>
</head>
<body>
<main>
<h1>Prettyfy</h1>
<p class="lead">Highlights source code with Pygments {pygments}, by Python {version} in WebAssembly.</p>
{result}
<h2>A file of yours</h2>
<form method="post" action="{address}" enctype="multipart/form-data">
<p><label>File, 250 KB at most <input type="file" name="file" required></label></p>
<p><button>Prettyfy</button></p>
</form>
<h2>An example</h2>
<ul>
{examples}
</ul>
<h2>Something else</h2>
<p>This program does not check the name of the example: it opens whatever the address names. On an ordinary server that
is a hole which shows any file. Here the name leads nowhere but to what is mounted for the program.</p>
<ul>
<li><a href="{address}?example=../../../../etc/passwd">../../../../etc/passwd</a></li>
<li><a href="{address}?example=/etc/passwd">/etc/passwd</a></li>
</ul>
<p class="note"><a href="/">All demos</a></p>
</main>
</body>
</html>
"""


def uploaded():
    """Name and content of the file in a multipart form; nothing when the request brings none."""
    kind = os.environ.get("CONTENT_TYPE", "")
    if os.environ["REQUEST_METHOD"] != "POST" or not kind.startswith("multipart/form-data"):
        return None
    body = sys.stdin.buffer.read()
    form = message_from_bytes(b"Content-Type: " + os.fsencode(kind) + b"\r\n\r\n" + body)
    for part in form.walk():
        name = part.get_filename()
        if name:
            return name, part.get_payload(decode=True)
    return None


def example():
    """Name and content of the example that the query names: without any check of the name, for the sake of the demo."""
    name = parse_qs(os.environ.get("QUERY_STRING", "")).get("example", [""])[0]
    if not name:
        return None
    with open(os.path.join(EXAMPLES, name), "rb") as file:
        return name, file.read()


def prettyfied(name, content):
    text = content.decode("utf-8", "replace")
    try:
        lexer = get_lexer_for_filename(name, text)
    except ClassNotFound:
        lexer = TextLexer()
    code = highlight(text, lexer, HtmlFormatter())
    return f"<h2>{html.escape(name)}</h2>\n<p>{html.escape(lexer.name)}, {len(content)} bytes.</p>\n{code}"


def result():
    try:
        source = uploaded() or example()
    except (OSError, ValueError) as error:
        return f"<h2>Not to be had</h2>\n<pre>{html.escape(str(error))}</pre>"
    return prettyfied(*source) if source else ""


def style():
    light = HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight")
    dark = HtmlFormatter(style="monokai", nobackground=True).get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def main():
    address = html.escape(os.environ.get("SCRIPT_NAME", ""))
    shown = result()
    examples = "\n".join(
        f'<li><a href="{address}?example={name}">{name}</a></li>' for name in sorted(os.listdir(EXAMPLES))
    )
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    print("Content-Type: text/html; charset=utf-8\n")
    print(
        PAGE.format(
            style=style() if shown else "",
            pygments=pygments_version,
            version=sys.version.split()[0],
            result=shown,
            address=address,
            examples=examples,
        ),
        end="",
    )


main()
