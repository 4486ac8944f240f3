"""A CGI program: one page with a form."""

import html
import os
import sys
from urllib.parse import parse_qs

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Python in WebAssembly</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Hello, {name}!</h1>
<p>This page was made by Python {version} on {platform}, in a sandbox that was made for this request and is gone by now.</p>
<form>
<label>Your name <input name="name" maxlength="60"></label>
<button>Greet me</button>
</form>
<p><a href="/">All demos</a></p>
</main>
</body>
</html>
"""

query = parse_qs(os.environ.get("QUERY_STRING", ""))
name = query.get("name", [""])[0].strip() or "world"

sys.stdout.reconfigure(encoding="utf-8")
print("Content-Type: text/html; charset=utf-8\n")
print(PAGE.format(name=html.escape(name), version=sys.version.split()[0], platform=sys.platform), end="")
