"""The book as the tests build it, and which pages it has."""

import os
import shutil
from pathlib import Path
from typing import Any

from rainlens.site import build, staging

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
PAGES = [*CHAPTERS, *(f"book/{path.stem}" for path in sorted((ROOT / "book").glob("*.md")))]


def build_site(target: Path) -> None:
    """The pages of the stored notebooks, as `rainlens book` builds them, copied to `target`."""
    folder = staging.stage(f"test-{os.getpid()}")  # others may test in this checkout, too
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, folder / "notebooks")
    shutil.copytree(build.finish(folder, "cpu").parent, target)
    shutil.rmtree(folder)


def complaints(driver: Any) -> list[str]:
    """The errors in the browser's console since it was last asked."""
    entries = driver.get_log("browser")
    return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
