"""Rules for claims about measures of quality and a judge of rain, on made-up records."""

import numpy as np
import pytest

from rainlens import scales
from rainlens.claims import quality
from rainlens.claims.evidence import Evidence, Missing
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from rainlens.quality import MEASURES
from rainlens.records import Record, described
from rainlens.tasks.judge import STEPS

SETTING = scales.scale_named("cpu")
PICTURES = 20


def record(experiment, columns: dict[str, np.ndarray], test: str = quality.TEST) -> Record:
    tests = {test: {name: list(map(float, column)) for name, column in columns.items()}}
    return Record(experiment.name, described(experiment), {}, tests)


def measured(follows: dict[str, float]) -> Evidence:
    """Networks of which each keeps out more rain than the one before.

    follows: how strongly a measure goes with that; the rest of it is chance.
    """
    found = {}
    source = np.random.default_rng(0)
    for place, experiment in enumerate(quality.networks(SETTING)):
        kept_out = place / 8 + source.normal(0, 0.01, PICTURES)
        columns = {"response": 1 - kept_out}
        for name, strength in follows.items():
            value = strength * kept_out + source.normal(0, 0.1, PICTURES)
            columns[name] = value if MEASURES[name].higher_is_better else -value
        found[experiment.name] = record(experiment, columns)
    return Evidence(quality.needs_measures(SETTING), found.get)


@pytest.mark.parametrize(
    ("psnr", "ssim", "verdict"),
    [
        (-10, -10, REPRODUCED),
        (0, 0, REPRODUCED),  # by chance alone
        (10, 10, NOT_REPRODUCED),
        (0, 10, NOT_REPRODUCED),
    ],
)
def test_measures_mislead_where_many_pairs_point_against_the_rain(psnr, ssim, verdict):
    found = quality.iqa_misleads(measured({"psnr": psnr, "ssim": ssim, "niqe": 10}))
    assert found.verdict == verdict
    assert "NIQE 0.0" in found.effect  # of which less is better


def test_an_interval_on_both_sides_of_the_level_decides_nothing():
    near = [quality.iqa_misleads(measured({"psnr": s, "ssim": s})) for s in (0.1, 0.2, 0.3, 0.4)]
    assert UNDECIDED in [found.verdict for found in near]


def judged(levels: dict[str, float], slope: float = 8.0, moved: float = 0.0) -> Evidence:
    """A judge whose score rises by `slope` per rain, and by `moved` under damage."""
    experiment = quality.judge_of_rain(SETTING)
    columns = {
        f"{damage}{amount:.2f}": np.full(PICTURES, slope * amount + moved * (damage != "rain"))
        for damage in quality.DAMAGES
        for amount in STEPS
    }
    found = {experiment.name: record(experiment, columns, "gate")}
    for kind, (appraised,) in quality.of_sharpness(SETTING).items():
        score = levels[kind] + np.random.default_rng(1).normal(0, 0.1, PICTURES)
        found[appraised.name] = record(appraised, {"judge": score, "e_b": np.full(PICTURES, 4.25)})
    return Evidence(quality.needs_judge(SETTING), found.get)


LOW_WINS = {"low": 0.0, "medium": 2.0, "high": 4.0}
LOW_LOSES = {"low": 4.0, "medium": 2.0, "high": 0.0}


def test_a_judge_that_finds_less_rain_after_low_sharpness_agrees_with_the_paper():
    found = quality.judge(judged(LOW_WINS))
    assert found.verdict == REPRODUCED and "E_B 4.2 against 4.2" in found.effect
    assert quality.judge(judged(LOW_LOSES)).verdict == NOT_REPRODUCED
    assert quality.judge(judged(dict.fromkeys(LOW_WINS, 1.0))).verdict == UNDECIDED


@pytest.mark.parametrize("unfit", [dict(slope=-8.0), dict(slope=0.1), dict(moved=3.0)])
def test_a_judge_that_does_not_pass_its_gate_decides_nothing(unfit):
    found = quality.judge(judged(LOW_WINS, **unfit))
    assert found.verdict == UNDECIDED and "does not pass" in found.effect


def test_the_gate_counts_pairs_of_known_rain():
    (passed,) = [quality.gate(judged(LOW_WINS).records("judge")[0])]
    # Of 15 pairs of amounts, eleven lie 0.3 apart: once each as they are, blurred, brighter, and
    # twice for each pair of these.
    assert passed.pairs == PICTURES * 11 * (3 + 2 * 3)
    assert passed.accuracy.value == 1 and passed.undecided.value == 1


@pytest.mark.parametrize(("moved", "share"), [(0.0, 0.0), (3.0, 0.0), (-3.0, 1.0)])
def test_it_is_told_which_damage_a_judge_takes_for_dryness(moved, share):
    record = judged(LOW_WINS, moved=moved).records("judge")[0]
    assert quality.leanings(record) == {"blurred": share, "brighter": share}


def test_rain_that_was_taken_away_twice_leaves_a_trace_too():
    (one, *_) = quality.networks(SETTING)
    gone = quality.values(record(one, {"response": np.array([0.0, 0.3, -0.3, 1.0])}), "gone")
    assert list(gone) == pytest.approx([1.0, 0.7, 0.7, 0.0])


def test_pairs_that_hardly_differ_in_rain_are_not_counted():
    records = [
        record(one, {"response": np.full(3, 1 - gone), "psnr": np.full(3, -gone)})
        for one, gone in zip(quality.networks(SETTING), (0.1, 0.2, 0.9), strict=False)
    ]
    assert quality.count(records) == 2 * 3 and quality.count(records, 0.0) == 3 * 3
    assert quality.against(records, "psnr").value == 1.0


def test_a_judge_that_is_sure_of_few_pictures_decides_nothing():
    few = judged(LOW_WINS)
    for record_ in few.records("low") + few.records("medium") + few.records("high"):
        record_.tests["unseen"]["judge"][6:] = [1.0] * (PICTURES - 6)  # ties
    assert quality.judge(few).verdict == UNDECIDED


def test_none_of_the_networks_was_trained_on_the_rain_that_it_is_appraised_on():
    for one in quality.networks(SETTING):
        trained_on = one.of.degradation if one.of else one.weights
        assert one.test.degradation == "rain100l" and "100L" not in trained_on
        assert trained_on != "rain100l"


def test_a_record_that_is_missing_is_said():
    with pytest.raises(Missing):
        quality.judge(Evidence(quality.needs_judge(SETTING), lambda name: None))
