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
# Equal are those whose elements, classes and styles are, from the token up to the page. Of a single
# letter axe-core does not know the contrast, so it does not stand for longer ones.
ONE_OF_EACH_TOKEN = """
const seen = new Set();
for (const token of document.querySelectorAll(".highlight pre span")) {
  if (token.children.length || token.getAttributeNames().some((name) => name !== "class")) continue;
  let look = token.textContent.trim().length > 1 ? "" : "short";
  for (let node = token; node !== document.body; node = node.parentElement)
    look += ` ${node.tagName}.${node.className}{${node.getAttribute("style")}}`;
  if (seen.has(look)) token.replaceWith(...token.childNodes);
  seen.add(look);
}
"""
RUN = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]})
  .then((result) => done(result.violations), (error) => done(String(error)));
"""


def prepare(driver: Any) -> None:
    """Make the page ready: all that can be folded open, no half-faded colours, axe loaded.

    Folded code is a part of the page, too, but axe-core passes over what is not displayed. Of the
    thousands of coloured tokens in code, one of each kind is left: the contrast of every single
    one took most of the time.
    """
    driver.execute_script(SETTLE, NO_MOTION)
    driver.execute_script(ONE_OF_EACH_TOKEN)
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
