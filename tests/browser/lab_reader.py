"""A reader of a page with one of the labs, for the tests."""

from types import SimpleNamespace
from typing import Any

from browser.chromium import set_media, set_screen
from browser.toy_reader import wait

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

    def cells(self) -> list[str]:
        return self.run(f"return [...{LAB}.querySelectorAll('.rl-map td')]"
                        ".map((cell) => cell.firstChild?.textContent ?? '')")  # fmt: skip

    def errors(self) -> list[str]:
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
