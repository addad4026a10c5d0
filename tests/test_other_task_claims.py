"""Rules for claims about noise and blur, on made-up records; reversed evidence reverses them."""

from dataclasses import replace

import numpy as np
import pytest

from rainlens import intervals, scales
from rainlens.claims import other_tasks
from rainlens.claims.evidence import Evidence, Missing
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from rainlens.intervals import Group
from rainlens.records import Record, described
from rainlens.tasks.fine_tune import FineTuned
from rainlens.tasks.usual_tests import UNSEEN

SETTING = scales.scale_named("cpu")
INPUT = 22.0
AS_CLAIMED = {"prior": 25.0, "resnet": 24.0}


def record(experiment, level: float, spread: float) -> Record:
    deviations = np.linspace(-1.7, 1.7, 100) + 0.01 * experiment.seed  # of standard deviation 1
    psnr = level + spread * deviations
    columns = {"psnr": psnr, "ssim": psnr / 40, "input_psnr": INPUT + 0.9 * deviations}
    columns["ceiling_psnr"] = np.full(100, 27.0)
    tests = {"unseen": {name: list(values) for name, values in columns.items()}}
    return Record(experiment.name, described(experiment), {}, tests)


def evidence(
    levels: dict[str, float], spreads: dict[str, float] | None = None, task: str = "deblur", **odd
) -> Evidence:
    """Records whose PSNR has these means; odd: of the seed 2, another."""
    parts, found = other_tasks._needs(SETTING, task), {}
    for name, part in parts.items():
        for experiment in part:
            level = odd.get(name, levels[name]) if experiment.seed == 2 else levels[name]
            made = record(experiment, level, (spreads or {}).get(name, 1.0))
            found[experiment.name] = made
    return Evidence(parts, found.get)


@pytest.mark.parametrize("task", other_tasks.TASKS)
def test_better_than_both_is_reproduced_and_worse_than_either_is_not(task):
    finding = other_tasks.better(evidence(AS_CLAIMED, task=task))
    assert finding.verdict == REPRODUCED
    assert "PSNR 25.0 [" in finding.effect and "the ceiling is 27.0 dB" in finding.effect
    below_resnet = {"prior": 25.0, "resnet": 26.0}
    assert other_tasks.better(evidence(below_resnet, task=task)).verdict == NOT_REPRODUCED
    below_input = {"prior": 21.0, "resnet": 20.0}
    assert other_tasks.better(evidence(below_input, task=task)).verdict == NOT_REPRODUCED


def test_ssim_speaks_for_itself():
    told = other_tasks.better(evidence(AS_CLAIMED)).effect
    assert told.endswith("more than the ResNet (reproduced)")
    told = other_tasks.better(evidence({"prior": 24.0, "resnet": 25.0})).effect
    assert told.endswith("more than the ResNet (not reproduced)")


def test_one_seed_that_deviates_leaves_it_open():
    assert other_tasks.better(evidence(AS_CLAIMED, prior=23.5)).verdict == UNDECIDED


def test_a_shorter_tail_is_compact_and_a_longer_one_is_not():
    """The level is no part of it."""
    short, long = {"prior": 0.5, "resnet": 2.0}, {"prior": 2.0, "resnet": 0.5}
    for levels in (AS_CLAIMED, {"prior": 20.0, "resnet": 30.0}):
        assert other_tasks.compact(evidence(levels, short)).verdict == REPRODUCED
        assert other_tasks.compact(evidence(levels, long)).verdict == NOT_REPRODUCED
    assert other_tasks.compact(evidence(AS_CLAIMED)).verdict == UNDECIDED  # equal


def test_a_record_that_is_missing_is_said():
    whole = evidence(AS_CLAIMED)
    first = whole.names[0]
    lacking = Evidence(
        other_tasks.needs_deblur(SETTING), lambda name: None if name == first else whole._find(name)
    )
    for judge in (other_tasks.better, other_tasks.compact):
        with pytest.raises(Missing):
            judge(lacking)


# --- the tail of a distribution ----------------------------------------------------------------


def test_a_tail_is_the_mean_minus_the_quantile():
    values = np.arange(101.0)  # the mean is 50, the 5 % quantile 5
    assert intervals.tail(np.stack([values, 2 * values])).tolist() == [45, 90]


def test_the_difference_of_tails_has_an_interval_over_seeds_and_pictures():
    source = np.random.default_rng(3)
    deviations = source.normal(0, 1, (1, 200))
    ours = Group(np.repeat(deviations, 3, 0), (0, 1, 2))
    theirs = replace(ours, values=3 * ours.values)
    found = intervals.shorter_tail(ours, theirs)
    # Seeds agree, so the bootstrap over pictures is the wider; 1.645 sigmas each.
    assert found.low < 2 * 1.645 < found.high and 1 < found.width < 2
    assert found.by_seed == (found.value,) * 3
    assert intervals.shorter_tail(theirs, ours).value == pytest.approx(-found.value)
    shifted = replace(theirs, values=theirs.values * np.array([[1.0], [1.3], [0.7]]))
    assert intervals.shorter_tail(ours, shifted).width > 2 * found.width


def test_one_seed_says_nothing_of_others():
    one = Group(np.arange(20.0)[None], (0,))
    assert np.isinf(intervals.shorter_tail(one, one).width)


# --- what is compared ---------------------------------------------------------------------------


@pytest.mark.parametrize("task", other_tasks.TASKS)
def test_all_of_a_task_are_trained_and_tested_on_the_same(task):
    networks = other_tasks.learners(SETTING, task)
    assert list(networks) == ["ResNet", "UNet", "SwinIR", "VQGAN"]
    assert [len(part) for part in networks.values()] == [3, 1, 1, 3]
    every = [e for part in networks.values() for e in part]
    assert {e.degradation for e in every} == {other_tasks.TASKS[task]}
    assert {e.patches for e in every} == {SETTING.patch_counts[-1]}
    tests = {e.tests for e in (*every, *other_tasks.filters(SETTING, task).values())}
    assert len(tests) == 1
    unseen = next(test for test in tests.pop() if test.name == "unseen")
    assert (unseen.degradation, unseen.count, unseen.crop) == (UNSEEN[task], 100, None)
    method = networks["VQGAN"][0]
    assert isinstance(method, FineTuned) and method.trained == ("encoder", "quant_conv")


@pytest.mark.parametrize("task", other_tasks.TASKS)
def test_quality_is_measured_where_the_claims_are_judged(task):
    found = other_tasks.appraisals(SETTING, task)
    networks = other_tasks.learners(SETTING, task)
    assert list(found) == [*networks, *other_tasks.filters(SETTING, task)]
    fewer = replace(networks["ResNet"][0].test("unseen"), count=30)
    assert {one.test for one in found.values()} == {fewer}
    assert found["VQGAN"].of == networks["VQGAN"][0] and found["untouched"].of is None
    assert found["VQGAN"].stand_in().test.degradation == UNSEEN[task]


def test_noise_and_rain_are_swept_over_the_same_counts():
    noise, rain = other_tasks.counts(SETTING), other_tasks.rainy_counts(SETTING)
    assert [(e.n, e.seed, e.iterations) for e in noise] == [
        (e.n, e.seed, e.iterations) for e in rain
    ]
    assert {e.degradation for e in noise} == {"gauss30"} and len({e.n for e in noise}) == 3
