"""A reader of a page with one of the labs, for the tests."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from browser.chromium import set_media, set_screen
from browser.toy_reader import wait

# A page in the colours of the book's themes.
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/rainlens.css"><style>
html {{ --pst-color-background: #fff; --pst-color-text-base: #222832; background: #fff;
  --pst-color-text-muted: #48566b; --pst-color-border: #d1d5da; --pst-color-primary: #0a7d91;
  color: #222832 }}
html[data-theme=dark] {{ --pst-color-background: #121212; --pst-color-text-base: #ced6dd;
  --pst-color-text-muted: #9ca4af; --pst-color-primary: #3fb1c5; background: #121212;
  color: #ced6dd }}
body {{ margin: 0 auto; max-width: 740px; padding: 0 16px }}</style></head><body><main>
<h1>{title}</h1><button id="outside">outside</button><p style="height: {space}px"></p>
<article class="bd-article">{lab}</article></main></body></html>"""
LAB = "document.querySelector('.rl-lab')"


class Reader:
    """What a reader does on a page with a lab. panel: finds it; handle: the name of its handle."""

    panel = LAB
    handle = "rlLab"

    def __init__(self, browser: SimpleNamespace, page: str = "rain_lab", width: int = 1280) -> None:
        self.driver = browser.driver
        set_screen(self.driver, width)
        set_media(self.driver, prefers_reduced_motion="reduce")
        self.driver.get_log("browser")
        browser.asked.clear()
        self.driver.get(page if "://" in page else f"{browser.address}/book/{page}.html")

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def until(self, status: str, seconds: float = 20) -> "Reader":
        wait(lambda: self.run(f"return {self.panel}?.dataset.rlStatus") == status, seconds)
        return self

    def set(self, **settings: Any) -> "Reader":
        """Change settings, and wait until the numbers are those of the new ones."""
        # What the page does with a change begins in its next frame.
        self.driver.execute_async_script(
            f"{self.panel}.{self.handle}.set(arguments[0]);"
            "requestAnimationFrame(() => arguments[1]())",
            settings,
        )
        return self.until("ready")

    def state(self) -> dict[str, Any]:
        return self.run(f"return {self.panel}.{self.handle}.state()")

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def button(self, label: str) -> Any:
        return self.driver.find_element("xpath", f"//button[text()='{label}']")

    def text(self, selector: str) -> str:
        return self.find(selector).get_attribute("textContent")

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def walk(self, most: int = 40) -> Iterator[str]:
        """By Tab from one control of the panel to the next: its name, once its ring was seen."""
        from selenium.webdriver.common.keys import Keys

        self.find("#outside").click()
        for _ in range(most):
            self.press(Keys.TAB)
            node = self.driver.switch_to.active_element
            if not self.run(f"return {self.panel}.contains(arguments[0])", node):
                return
            ring = self.run(
                "const n = arguments[0], s = n.matches('.rl-choice input, .rl-wipe') "
                "? n.nextElementSibling : n; return getComputedStyle(s).outlineStyle", node
            )  # fmt: skip
            assert node.accessible_name and ring != "none", node.get_attribute("outerHTML")
            yield node.accessible_name

    def assert_it_fits(self, width: int) -> None:
        """Nothing reaches out of the panel, or the page, and a finger meets every control."""
        sizes = self.run(
            f"const lab = {self.panel}, box = lab.getBoundingClientRect();"
            "const inside = [...lab.querySelectorAll('*:not(.rl-unseen, style, svg *)')]"
            ".map((n) => n.getBoundingClientRect()).filter((b) => b.width);"
            "const held = [...lab.querySelectorAll('.rl-choice, button, .rl-check')];"
            "return {page: document.documentElement.scrollWidth, left: box.left,"
            " right: box.right, reach: Math.max(...inside.map((b) => b.right)),"
            " start: Math.min(...inside.map((b) => b.left)),"
            " touch: Math.min(...held.map((n) => n.getBoundingClientRect().height))}"
        )
        assert sizes["page"] <= width
        assert sizes["left"] - 0.5 <= sizes["start"]
        assert sizes["reach"] <= sizes["right"] + 0.5
        assert sizes["touch"] >= 38

    def cells(self) -> list[str]:
        return self.run(f"return [...{LAB}.querySelectorAll('.rl-map td')]"
                        ".map((cell) => cell.firstChild?.textContent ?? '')")  # fmt: skip

    def errors(self) -> list[str]:
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
