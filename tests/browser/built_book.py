"""The book as the tests build it, and which pages it has."""

import os
import shutil
from pathlib import Path
from typing import Any

import nbformat

from rainlens.site import build, staging
from rainlens.widgets import toy

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
PAGES = [*CHAPTERS, *(f"book/{path.stem}" for path in sorted((ROOT / "book").glob("*.md")))]


def build_site(target: Path) -> None:
    """The pages of the stored notebooks, as `rainlens book` builds them, copied to `target`."""
    folder = staging.stage(f"test-{os.getpid()}")  # others may test in this checkout, too
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        (folder / "notebooks" / path.name).write_text(with_current_panel(text), encoding="utf-8")
    shutil.copytree(build.finish(folder, "cpu").parent, target)
    shutil.rmtree(folder)


def with_current_panel(notebook: str) -> str:
    """A notebook whose live panel, if it has one, runs the script that the package has now."""
    held = nbformat.reads(notebook, as_version=4)
    for output in (out for cell in held.cells for out in cell.get("outputs", [])):
        page = output.get("data", {}).get("text/html", "")
        if 'class="rl-toy"' in page:
            before, script, rest = page.partition('<script type="module">')
            end = rest[rest.index("</script>") :]
            output.data["text/html"] = f"{before}{script}\n{toy.panel_script()}\n{end}"
    return nbformat.writes(held)


def complaints(driver: Any) -> list[str]:
    """The errors in the browser's console since it was last asked."""
    entries = driver.get_log("browser")
    return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
