"""What pages say in plain prose is held against the committed records of the cpu scale.

Most findings in the chapters are written from records when a chapter runs. Headings and
explanations are not: here is what they rely on.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from rainlens import experiments, signals, toy_evaluation
from rainlens.records import Record, RecordStore

ROOT = Path(__file__).resolve().parents[1]
SETTING = experiments.SCALES["cpu"]
STORE = RecordStore(ROOT / "records" / "cpu")


def toy(order: int, seed: int = 0, **changes) -> Record:
    record = STORE.load(SETTING.toy(order, seed, **changes).name)
    assert record is not None
    return record


def mse(record: Record, test: str) -> float:
    return float(np.mean(record.tests[test]["mse"]))


# --- chapter 3


def test_the_networks_find_averaging_first():
    """'The table above begins with small x shares.'"""
    for order in (1, 2, 3, 4, 6, 8):
        curves = toy(order).curves
        assert curves["x_share"][1] < 0.2 < 0.8 < curves["y_share"][1]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_slow_network_knows_one_curve_and_the_fast_one_the_noise(seed: int):
    """The headings of Fig. 11 and 12."""
    x = np.linspace(-signals.LIMIT, signals.LIMIT, toy_evaluation.POINTS)
    own = 10 * np.cos(np.pi * x / 10)
    for test in ("order4", "order8", "order8_shifted"):
        answer = np.array(toy(1, seed).tests[test]["output"])
        assert np.square(answer - own).mean() < 8 < mse(toy(1, seed), test)
    assert mse(toy(8, seed), "order1") < 0.2  # a curve it never saw, cleaned
    assert mse(toy(8, seed), "order8_shifted") > 30  # noise it never saw, kept


def test_the_slower_the_curve_the_more_is_read_off():
    """'The faster the curve, the later it does.'"""
    shares = [toy(order).curves["x_share"][-1] for order in (1, 2, 3, 4, 6, 8)]
    assert all(a > b - 0.01 for a, b in zip(shares, shares[1:], strict=False))
    assert shares[0] > 0.9 and shares[-1] < 0.1


def test_averaging_has_an_error_of_about_a_tenth():
    """'Compare these errors with those of averaging, about 0.1.'"""
    errors = np.array(toy(8).curves["matched"][4:])  # from step 1,000 on: a denoiser throughout
    assert 0.05 < np.median(errors) < 0.2


def test_slow_functions_of_x_are_learned_sooner():
    """'Networks learn slow functions of their input long before fast ones.'"""
    short = dict(iterations=SETTING.toy().iterations // 4, keep_weights=False, noise_spread=100.0)
    errors = [toy(order, **short).curves["matched"][-1] for order in (1, 2, 4, 8)]
    assert errors == sorted(errors)


# --- the page about data


def page_number(pattern: str) -> float:
    text = (ROOT / "book" / "data.md").read_text(encoding="utf-8")
    return float(re.search(pattern, text)[1])


def test_the_facts_about_rain100_are_those_of_the_records():
    record = STORE.load(SETTING.experiment(rain="small", patches=8).name)
    untouched = np.mean(record.tests["unseen"]["input_psnr"])
    coverage = 100 * np.mean(record.tests["unseen"]["coverage"])
    assert page_number(r"PSNR`? of ([\d.]+) dB for Rain100L") == pytest.approx(untouched, abs=0.01)
    assert page_number(r"covers about (\d+) %") == pytest.approx(coverage, abs=0.6)
