"""A CGI program that counts a word in the text that its argument names."""

import html
import os
import re
import sys
from collections import Counter
from urllib.parse import parse_qs

WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Search and count words</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Search and count words</h1>
<p class="lead">In eight sonnets of William Shakespeare, {total} words.</p>
<form action="{address}">
<label>Word <input name="word" value="{word}" maxlength="60"></label>
<button>Count</button>
</form>
{result}
<p class="note">Counted by Python {version} in WebAssembly. <a href="/">All demos</a></p>
</main>
</body>
</html>
"""


def marked(line, word):
    """The line as HTML, with the word marked wherever it stands."""
    parts, end = [], 0
    for match in WORD.finditer(line):
        if match.group().lower() == word:
            parts += [html.escape(line[end : match.start()]), f"<mark>{html.escape(match.group())}</mark>"]
            end = match.end()
    return "".join(parts) + html.escape(line[end:])


def found(lines, counts, word):
    times = counts[word]
    summary = f"<h2>“{html.escape(word)}”: {times} {'time' if times == 1 else 'times'}</h2>"
    hits = [
        f'<tr><th scope="row">{number}</th><td>{marked(line, word)}</td></tr>'
        for number, line in enumerate(lines, 1)
        if any(other.lower() == word for other in WORD.findall(line))
    ]
    rows = "\n".join(hits)
    return f'{summary}\n<table aria-label="Lines with the word">\n{rows}\n</table>' if hits else summary


def frequent(counts):
    items = "\n".join(f"<li>{html.escape(word)}: {times}</li>" for word, times in counts.most_common(10))
    return f"<h2>The most frequent words</h2>\n<ol>\n{items}\n</ol>"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    counts = Counter(word.lower() for line in lines for word in WORD.findall(line))
    query = parse_qs(os.environ.get("QUERY_STRING", ""))
    word = query.get("word", [""])[0].strip().lower()
    sys.stdout.reconfigure(encoding="utf-8")
    print("Content-Type: text/html; charset=utf-8\n")
    print(
        PAGE.format(
            total=counts.total(),
            address=html.escape(os.environ.get("SCRIPT_NAME", "")),
            word=html.escape(word),
            result=found(lines, counts, word) if word else frequent(counts),
            version=sys.version.split()[0],
        ),
        end="",
    )


main()
