"""Pages have marks, HTML comments, where what is made of records belongs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def fill(page: Path, parts: Mapping[str, str]) -> None:
    """Puts into a staged page, in the place of each mark, what belongs there: mark -> text."""
    text = page.read_text(encoding="utf-8")
    for mark, content in parts.items():
        text = text.replace(mark, content)
    page.write_text(text, encoding="utf-8")
