"""Greets, and tells what a program in the sandbox can see."""

import os
import sys


def listing(folder):
    try:
        return ", ".join(sorted(os.listdir(folder)))
    except OSError as error:
        return f"cannot be listed ({error.strerror})"


print(f"Hello from Python {sys.version.split()[0]} on {sys.platform}!")
print()
print("Arguments:", *sys.argv)
print("Environment:", dict(os.environ))
print()
for folder in ("/app", "/usr/local/lib", "/etc", "/"):
    print(f"{folder}: {listing(folder)}")
