"""axe-core's audit of a page for readers with a disability."""

from importlib import resources
from typing import Any

import pytest

# A page outside of landmarks is moderate to axe-core; the minor ones are advice.
FAULTS = {"moderate", "serious", "critical"}
NO_MOTION = "*, *::before, *::after { transition: none !important; animation: none !important }"
SETTLE = """
const style = document.head.appendChild(document.createElement("style"));
style.textContent = arguments[0];
for (const details of document.querySelectorAll("details")) details.open = true;
"""
RUN = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]})
  .then((result) => done(result.violations), (error) => done(String(error)));
"""


def prepare(driver: Any) -> None:
    """Make the page ready: all that can be folded open, no half-faded colours, axe loaded.

    Folded code is a part of the page, too, but axe-core passes over what is not displayed.
    """
    driver.execute_script(SETTLE, NO_MOTION)
    driver.execute_script(_source())


def use_theme(driver: Any, theme: str) -> None:
    """Switch the book's page to its "light" or "dark" theme."""
    driver.execute_script(
        "const { dataset } = document.documentElement; dataset.theme = dataset.mode = arguments[0]",
        theme,
    )


def violations(driver: Any) -> list[str]:
    """What axe-core finds at fault on the prepared page: rule, impact, and where."""
    driver.set_script_timeout(120)
    found = driver.execute_async_script(RUN)
    assert isinstance(found, list), found
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:120]}"
        for fault in found
        if fault["impact"] in FAULTS
        for node in fault["nodes"]
    ]


def _source() -> str:
    # The package drives another browser library; only the script that it brings is used.
    package = "axe_playwright_python"
    pytest.importorskip(package, reason=f"axe-core is not installed: pip install {package}")
    return resources.files(package).joinpath("axe.min.js").read_text(encoding="utf-8")
