"""The whole book as one PDF: all pages in one, printed by a browser that opens no window."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from rainlens.site.build import build
from rainlens.site.sources import BookError

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
)  # fmt: skip
NAME = "rainlens.pdf"
SECONDS = 300.0


def print_whole(folder: Path) -> Path:
    """Prints a staged book that is complete; returns the PDF, which lies in that folder.

    Raises BookError where no browser is found, or it does not print.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise BookError(
            "No browser was found that prints without a window: install Chromium or Google Chrome "
            f"(on Debian and Ubuntu: apt-get install chromium). Names tried: {', '.join(BROWSERS)}."
        )
    page = _at_the_root(build(folder, "singlehtml"))
    target = folder / NAME
    target.unlink(missing_ok=True)
    command = [browser, "--headless=new", "--disable-gpu", "--no-pdf-header-footer"]
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--no-sandbox")  # Chromium's refuses the superuser
    command += [f"--print-to-pdf={target}", page.as_uri()]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS, errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        raise BookError(f"{browser} did not print {page} within {SECONDS:g} s.") from error
    if not target.exists():
        said = (answer.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BookError(f"{browser} did not print {page}; it last said: {said}")
    return target


def _at_the_root(page: Path) -> Path:
    """The page of all pages where its style sheets look for it, one folder up."""
    whole = page.parent.parent / "whole.html"
    text = page.read_text(encoding="utf-8")
    whole.write_text(text.replace('"../_static/', '"_static/'), encoding="utf-8")
    return whole
