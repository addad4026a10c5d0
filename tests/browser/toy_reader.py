"""A reader of a page with the toy task's live panel, for the tests."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from browser.chromium import set_media, set_screen

PANEL = "document.querySelector('.rl-toy')"


def wait(check: Callable[[], Any], seconds: float = 10) -> Any:
    """Poll until `check` gives something true; its value, or a failed test."""
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, "the page did not get there in time"
        time.sleep(0.02)
    return value


class Reader:
    """What a reader does on a page with the panel."""

    def __init__(self, browser: SimpleNamespace, name: str = "near", width: int = 1280) -> None:
        self.driver = browser.driver
        set_screen(self.driver, width)
        set_media(self.driver, prefers_reduced_motion="reduce")
        self.driver.get_log("browser")
        self.driver.get(f"{browser.address}/notebooks/{name}.html")

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def until(self, status: str) -> "Reader":
        wait(lambda: self.run(f"return {PANEL}?.dataset.rlStatus") == status)
        return self

    def set(self, **settings: float) -> "Reader":
        self.run(f"{PANEL}.rlToy.set(arguments[0])", settings)
        return self.until("ready")

    def state(self) -> dict[str, Any]:
        return self.run(f"return {PANEL}.rlToy.state()")

    def picture(self) -> dict[str, str]:
        """The paths of the plot after the next frame, by their class."""
        return self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() =>"
            f"done(Object.fromEntries([...{PANEL}.querySelectorAll('.rl-plot > path')]"
            ".map((path) => [path.classList[0], path.getAttribute('d')])))))"
        )

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def button(self, label: str) -> Any:
        return self.driver.find_element("xpath", f"//button[text()='{label}']")

    def pick(self, value: str | int) -> None:
        self.find(f".rl-choice input[value='{value}']").click()

    def plot_point(self, x: float, y: float) -> tuple[float, float]:
        """Where the point lies in the window; the plot is scrolled into the middle."""
        box = self.run(
            f"const plot = {PANEL}.querySelector('.rl-plot'); plot.scrollIntoView("
            "{block: 'center', behavior: 'instant'});"
            "const grid = plot.querySelector('.rl-grid').getBoundingClientRect();"
            "const path = plot.querySelector('.rl-grid').getAttribute('d');"
            "const tops = [...path.matchAll(/M\\S+ ([\\d.]+)/g)].map((m) => Number(m[1]));"
            "return {left: grid.left, width: grid.width,"
            " top: plot.getBoundingClientRect().top, tops}"
        )
        low, zero = box["tops"][0], box["tops"][1]  # the grid lines of -10 and 0
        across = box["left"] + (x + 10) / 20 * box["width"]
        return across, box["top"] + zero + (low - zero) * (-y / 10)

    def drag(self, points: list[tuple[float, float]]) -> None:
        """Draw with the mouse through points of the plot."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.actions.mouse_button import MouseButton

        places = [self.plot_point(*point) for point in points]
        chain = ActionChains(self.driver, duration=30)
        mouse = chain.w3c_actions.pointer_action
        mouse.move_to_location(*map(round, places[0]))
        mouse.pointer_down(MouseButton.LEFT)
        for place in places[1:]:
            mouse.move_to_location(*map(round, place))
        mouse.pointer_up(MouseButton.LEFT)
        chain.perform()

    def errors(self) -> list[str]:
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
