"""Print the path of a browser for the tests: a Chromium or Chrome that is installed, else Playwright's own, else Debian's package.

Prints nothing for Playwright's own browser, which Playwright finds by itself. Exits with one sentence when there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")


def installed() -> str | None:
    """A browser that is on this computer."""
    named = os.environ.get("CNN_LAB_BROWSER")
    return next((found for name in (named, *NAMES, *PLACES) if name and (found := shutil.which(name))), None)


def has_own() -> bool:
    """Whether Playwright has a browser of its own that starts, after trying to get one."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        if not Path(playwright.chromium.executable_path).exists():
            command = [sys.executable, "-m", "playwright", "install", "chromium-headless-shell", "chromium"]
            try:
                subprocess.run(command, stdout=sys.stderr, stderr=subprocess.DEVNULL, timeout=300, check=False)
            except subprocess.TimeoutExpired:
                return False
        try:
            playwright.chromium.launch(args=["--no-sandbox"]).close()
        except Error:  # it is not there, or this system lacks a library that it needs
            return False
        return True


def install_package() -> None:
    """Debian's Chromium, where this user may install it."""
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)


def main() -> None:
    path = installed()
    if path is None and not has_own():
        install_package()
        path = installed()
        if path is None:
            sys.exit(
                "The browser tests need Chromium or Chrome: install one (on Debian: apt install chromium) and run make test again."
            )
    print(path or "")


if __name__ == "__main__":
    main()
