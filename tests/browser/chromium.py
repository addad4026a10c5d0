"""A headless Chromium and a local server, with every outside address out of reach."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder quietly and remembers what was asked for."""

    def __init__(self, *args: Any, asked: list[str], **options: Any) -> None:
        self.asked = asked
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def end_headers(self) -> None:
        # Without it a reload could pass on a cached file and hide a missing one.
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve `folder` on a free local port; yields its address and the list of paths asked."""
    asked: list[str] = []
    handler = partial(Handler, asked=asked, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def require_browser() -> tuple[str, str]:
    """Paths of Chromium and its driver; skips the test with a reason where one is missing."""
    pytest.importorskip("selenium", reason="selenium is not installed: pip install selenium")
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    return browser, driver


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium driven by selenium that can reach nothing but 127.0.0.1 and files."""
    browser, driver_path = require_browser()
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver_path)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def browse(site: Path) -> Iterator[SimpleNamespace]:
    """A browser before a served folder: `driver`, `address`, `asked` (see `serve`) and `site`."""
    require_browser()
    with serve(site) as (address, asked), open_browser() as driver:
        yield SimpleNamespace(driver=driver, address=address, asked=asked, site=site)


def set_screen(driver: Any, width: int, height: int = 900, scale: float = 1) -> None:
    """Give the page a viewport of `width` x `height` CSS pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def set_media(driver: Any, kind: str = "screen", **features: str) -> None:
    """Pretend that the page is shown on a "screen" or in "print", and that the reader's system
    asks for these media features."""
    listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": listed})


def touch(driver: Any, points: list[tuple[float, float]], steps: int = 4) -> None:
    """Put a finger on the first point, slide it through the others, and lift it."""

    def send(kind: str, places: list[dict[str, float]]) -> None:
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    send("touchStart", [{"x": points[0][0], "y": points[0][1]}])
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        for step in range(1, steps + 1):
            share = step / steps
            send("touchMove", [{"x": x0 + share * (x1 - x0), "y": y0 + share * (y1 - y0)}])
    send("touchEnd", [])
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
