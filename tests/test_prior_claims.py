"""Rules for claims about priors, on made-up records; reversed evidence reverses the verdict."""

from dataclasses import replace

import numpy as np
import pytest

from rainlens import scales
from rainlens.claims import priors
from rainlens.claims.evidence import Evidence, Missing
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from rainlens.records import Record, described
from rainlens.tasks.fine_tune import ARMS, FineTuned

SETTING = scales.scale_named("cpu")
NEEDS = {**priors.needs_prior(SETTING), **priors.needs_codebook(SETTING)}
AS_CLAIMED = {"method": 0.9, "ablation": 0.3, "resnet": 0.4}
THE_OTHER_WAY = {"method": 0.3, "ablation": 0.9, "resnet": 0.6}


def arm(experiment) -> str:
    if not isinstance(experiment, FineTuned):
        return "resnet"
    return "method" if experiment.start else "ablation"


def evidence(
    levels: dict[str, float], rejections: dict[str, float] | None = None, **odd
) -> Evidence:
    """Records whose removal gain has these means; odd: of the seed 2, another."""
    found = {}
    for part in NEEDS.values():
        for experiment in part:
            noise = np.random.default_rng(experiment.seed).normal(0, 0.02, 40)
            name = arm(experiment)
            level = odd.get(name, levels[name]) if experiment.seed == 2 else levels[name]
            gain = list(level + noise)
            response = list(1 - ((rejections or levels)[name] + noise))
            tests = {"unseen": {"gain": gain, "response": response}}
            record = Record(experiment.name, described(experiment), {}, tests)
            found[experiment.name] = record
    return Evidence(NEEDS, found.get)


@pytest.mark.parametrize("judge", [priors.prior_derain, priors.codebook])
def test_what_the_paper_says_is_reproduced_and_the_reverse_is_not(judge):
    assert judge(evidence(AS_CLAIMED)).verdict == REPRODUCED
    assert judge(evidence(AS_CLAIMED)).by_rain.verdict == REPRODUCED
    assert judge(evidence(THE_OTHER_WAY)).verdict == NOT_REPRODUCED
    assert judge(evidence(THE_OTHER_WAY)).by_rain.verdict == NOT_REPRODUCED


@pytest.mark.parametrize("judge", [priors.prior_derain, priors.codebook])
def test_each_measure_decides_for_itself(judge):
    finding = judge(evidence(AS_CLAIMED, THE_OTHER_WAY))
    assert finding.verdict == REPRODUCED and finding.by_rain.verdict == NOT_REPRODUCED


def test_more_than_a_resnet_is_not_enough_if_it_is_less_than_half():
    weak = {"method": 0.4, "ablation": 0.1, "resnet": 0.2}
    assert priors.prior_derain(evidence(weak)).verdict == NOT_REPRODUCED
    assert priors.codebook(evidence(weak)).verdict == REPRODUCED


def test_one_seed_that_deviates_leaves_it_open():
    assert priors.prior_derain(evidence(AS_CLAIMED, method=0.45)).verdict == UNDECIDED
    assert priors.codebook(evidence(AS_CLAIMED, ablation=0.6)).verdict == UNDECIDED


def test_a_record_that_is_missing_is_said():
    whole = evidence(AS_CLAIMED)
    lacking = replace_find(whole)
    with pytest.raises(Missing):
        priors.prior_derain(lacking)


def replace_find(whole: Evidence) -> Evidence:
    first = whole.names[0]
    return Evidence(NEEDS, lambda name: None if name == first else whole._find(name))


def test_the_arms_are_those_of_the_papers():
    parts = NEEDS
    method, ablation = parts["method"][0], parts["ablation"][0]
    assert method.start == SETTING.codebook() and method.trained == ("encoder", "quant_conv")
    assert ablation.start is None and ablation.trained == ()
    assert dict(ablation.options)["quantised"] is False
    assert {e.model for name in ("method", "ablation") for e in parts[name]} == {"vqgan"}
    assert {e.patches for part in parts.values() for e in part} == {SETTING.patch_counts[-1]}
    assert method.keep_weights  # of one seed, the weights go along
    assert replace(method, seed=1, keep_weights=None) == parts["method"][1]


def test_the_effect_of_an_ingredient_is_the_mean_over_arms_that_differ_in_it_alone():
    """By hand: weights add 2, a frozen decoder 3, a book 5, book and weights together 1 more."""

    def level(arm) -> float:
        both = arm.pretrained and arm.quantised
        return 2.0 * arm.pretrained + 3.0 * arm.frozen + 5.0 * arm.quantised + both

    records = {
        name: Record(name, {"seed": 0}, {}, {"unseen": {"gain": [level(arm), level(arm) + 1]}})
        for name, arm in ARMS.items()
    }
    found = {i: priors.effect(records, i, "gain").value for i in priors.INGREDIENTS}
    # The book without weights adds 5, with them 6, twice: once frozen and once not.
    assert found == pytest.approx({"pretrained": 2.5, "frozen": 3.0, "quantised": 17 / 3})


def test_each_arm_of_the_grid_has_the_seeds_that_it_needs():
    counts = {arm: len(part) for arm, part in priors.arms(SETTING).items()}
    assert set(counts) == set(ARMS)
    assert counts["method"] == counts["ablation"] == 3 and sum(counts.values()) == 10
