"""Tables of measurements: computed right, and the same wherever they are shown."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
OF_README = ["16x64", "64x64", "2"]  # network, patches, threads
RESULTS = json.loads((FOLDER / "results.json").read_text())


@pytest.fixture(scope="module")
def tables():
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("tables")
    sys.path.remove(str(FOLDER))


def test_a_table_is_worked_out_from_its_measurements(tables):
    sizes = dict(arrangement="1 thread", blocks=2, channels=4, size=8)
    measured = [
        dict(kind="training_ours", rate=8.0, gflop=5.0, **sizes),
        dict(kind="training_plain", rate=1.5, workers=1, **sizes),
        dict(kind="training_plain", rate=2.0, workers=2, **sizes),
        dict(kind="matrix", rate=100.0, arrangement="1 thread"),
    ]
    found = tables.Tables(measured)
    # 8 / 2 = 4 times the better plain way; at 100 Gflop/s, 20 steps/s are the most: 10 times.
    assert found.training()[1:] == [["2x4", "8x8", "1", "8", "2", "4.0", "10.0"]]
    assert found.matrix()[1:] == [["2x4", "8x8", "1 thread", "40", "100", "40%"]]
    assert found.sweep()[1:] == []


def test_a_network_has_one_row_for_all_numbers_of_threads(tables):
    common = dict(kind="picture", name="UNet", parameters=1234)
    found = tables.Tables(
        [
            dict(arrangement="1 thread", rate=2.0, memory=30.4, **common),
            dict(arrangement="2 threads", rate=4.0, memory=50.0, **common),
        ]
    )
    assert found.pictures() == [
        [
            "network",
            "parameters",
            "milliseconds, 1 thread",
            "milliseconds, 2 threads",
            "memory, MiB",
        ],
        ["UNet", "1,234", "500", "250", "30.4"],
    ]


def test_numbers_of_another_machine_say_so(tables):
    other = {**RESULTS["machine"], "torch": "1.2.3"}
    common = dict(kind="training_network", arrangement="1 thread", rate=2.0, batch=4)
    own = tables.Tables([dict(model="unet", **common)])
    assert "Measured on" not in own.markdown(("networks",))
    mixed = tables.Tables([dict(model="unet", **common), dict(model="a", machine=other, **common)])
    assert mixed.markdown(("networks",)).endswith(tables.sentence(other))
    assert mixed.markdown(("networks",)).count("1.2.3") == 1


def test_every_question_has_its_table(tables):
    assert [
        q for q in tables.TITLES if len(getattr(tables.Tables(RESULTS["measured"]), q)()) < 2
    ] == []


def test_the_book_shows_what_was_measured(tables):
    text = (FOLDER / "results.md").read_text()
    assert tables.Tables(RESULTS["measured"]).markdown(tuple(tables.TITLES)) in text
    assert tables.sentence(RESULTS["machine"]) in text


def test_the_readme_states_what_was_measured(tables):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = tables.readme(RESULTS["measured"])
    assert f"\n{told}\n" in text
    (row,) = (r for r in tables.Tables(RESULTS["measured"]).training() if r[:3] == OF_README)
    assert f"{row[5]} times as fast" in " ".join(told.split())


def test_separate_processes_are_what_was_quickest(tables):
    """The page on speed: `rainlens run --workers` does what was quickest."""
    found = tables.Tables(RESULTS["measured"])
    apart = found.find(kind="training_ours", blocks=8, channels=32, size=64)
    together = found.find(kind="training_together")
    best = max(apart, key=lambda entry: entry["rate"])
    assert best["arrangement"] == "2 processes of 1 thread"
    assert together and best["rate"] > max(entry["rate"] for entry in together)
