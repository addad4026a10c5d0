"""What several test files share: the built book, and a browser that looks at it."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from browser.built_book import build_site
from browser.chromium import open_browser, require_browser, serve
from filelock import FileLock

# Test files that take longest, beginning with the longest.
LONGEST = (
    *("gates", "cluster", "experiments", "sharing", "audit", "built_book", "front_page"),
    *("equations", "train_toy", "colab", "strangers", "findings", "training", "toy_widget"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the files, the longest come first: at the end, one would wait for it."""
    if hasattr(config, "workerinput"):
        places = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the HTML of the book; built once, because that takes a while.

    `make test` has two workers: the second one waits for what the first one builds.
    """
    require_browser()
    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    site = shared / "built"
    with FileLock(shared / "built.lock"):
        if not site.exists():
            target = tmp_path_factory.mktemp("built") / "html"
            build_site(target)
            target.rename(site)
    return site


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[SimpleNamespace]:
    """A browser and the address under which it finds the book."""
    with serve(site) as (address, asked), open_browser() as driver:
        yield SimpleNamespace(driver=driver, address=address, asked=asked, site=site)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums come out the same to the last bit, and tests do not fight over the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
