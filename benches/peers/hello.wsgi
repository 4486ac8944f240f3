"""What apps/hello-python prints, as mod_wsgi asks for it."""

import os
import sys


def listing(folder):
    try:
        return ", ".join(sorted(os.listdir(folder)))
    except OSError as error:
        return f"cannot be listed ({error.strerror})"


def application(environ, start_response):
    lines = [
        f"Hello from Python {sys.version.split()[0]} on {sys.platform}!",
        "",
        f"Arguments: {' '.join(sys.argv)}",
        f"Environment: {dict(os.environ)}",
        "",
        *(f"{folder}: {listing(folder)}" for folder in ("/usr/local/lib", "/etc", "/")),
    ]
    body = ("\n".join(lines) + "\n").encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
