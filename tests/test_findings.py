"""What pages say in plain prose is held against the committed records of the cpu scale.

Most findings in the chapters are written from records when a chapter runs. Headings and
explanations are not: here is what they rely on.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from rainlens import (
    claims,
    complexity,
    estimates,
    evaluation,
    images,
    metrics,
    models,
    scales,
    signals,
    toy_evaluation,
)
from rainlens.audit import inputs as audit_inputs
from rainlens.audit import networks, recorded, scores
from rainlens.records import Record, RecordStore
from rainlens.site import stored
from rainlens.tasks.restore import Restore
from rainlens.tasks.survey import Survey
from rainlens.tasks.toy import Toy

ROOT = Path(__file__).resolve().parents[1]
SETTING = scales.SCALES["cpu"]
MEASURES = (
    ("e_r", metrics.e_r),
    ("gain", metrics.removal_gain),
    ("contrast", metrics.contrast_gain),
)
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
    short = dict(iterations=SETTING.toy().iterations // 4, keep_weights=False, noise_std=100.0)
    errors = [toy(order, **short).curves["matched"][-1] for order in (1, 2, 4, 8)]
    assert errors == sorted(errors)


# --- the page about data


def page_number(pattern: str) -> float:
    text = (ROOT / "book" / "data.md").read_text(encoding="utf-8")
    return float(re.search(pattern, text)[1])


def test_the_facts_about_rain100_are_those_of_the_records():
    record = STORE.load(SETTING.experiment(degradation="small", patches=8).name)
    untouched = np.mean(record.tests["unseen"]["input_psnr"])
    coverage = 100 * np.mean(record.tests["unseen"]["coverage"])
    assert page_number(r"PSNR`? of ([\d.]+) dB for Rain100L") == pytest.approx(untouched, abs=0.01)
    assert page_number(r"covers about (\d+) %") == pytest.approx(coverage, abs=0.6)


# --- chapters 6 and 7


def surveyed(name: str, size: int, measure: str) -> np.ndarray:
    record = STORE.load(Survey(backgrounds=name, patch_size=size).name)
    assert record is not None
    return np.array(record.tests["patches"][measure])


def complexity_of(name: str) -> np.ndarray:
    """C of each patch, (patches,)."""
    return sum(surveyed(name, 128, f"structure{k}") for k in range(7))


def share(values: np.ndarray, kind: str) -> float:
    low, high = complexity.SHARPNESS_CLASSES[kind]
    return float(((values >= low) & (values < high)).mean())


def test_portraits_are_soft_and_buildings_sharp_and_most_patches_in_no_class():
    values = {name: surveyed(name, 64, "sharpness") for name in claims.CATEGORIES}
    medians = {name: np.median(found) for name, found in values.items()}
    assert min(medians, key=medians.get) == "faces" and max(medians, key=medians.get) == "urban"
    for found in values.values():
        assert sum(share(found, kind) for kind in complexity.SHARPNESS_CLASSES) < 0.5


def test_soft_patches_are_rare_at_the_papers_size_and_not_at_ours():
    """'A small one more easily fits between two edges.'"""
    large, small = (share(surveyed("natural", size, "sharpness"), "low") for size in (128, 64))
    assert large < 0.04 < 0.08 < small


def test_painted_comics_are_softer_than_natural_pictures():
    """Chapter 8, the limits."""
    comics, natural = (np.median(surveyed(n, 64, "sharpness")) for n in ("comics", "natural"))
    assert comics < natural


def test_the_soft_network_damages_most_and_has_the_highest_contrast_gain():
    """Chapter 8: 'as the soft network of chapter 6 did.'"""
    for measure in ("e_b", "contrast"):
        means = {}
        for kind in complexity.SHARPNESS_CLASSES:
            records = [STORE.load(SETTING.of_sharpness(kind, s).name) for s in SETTING.coarse_seeds]
            means[kind] = estimates.mean(records, "unseen", measure).value
        assert max(means, key=means.get) == "low"


def test_boxes_of_complexity_overlap_and_profiles_cross():
    quartiles = [np.quantile(complexity_of(name), [0.25, 0.75]) for name in claims.CATEGORIES]
    assert max(low for low, _ in quartiles) < min(high for _, high in quartiles)
    fine, coarse = (
        sorted(claims.CATEGORIES, key=lambda n: surveyed(n, 128, f"structure{k}").mean())
        for k in (0, 6)
    )
    assert fine != coarse


def test_the_first_steps_are_not_those_that_lose_most():
    """'Fur weighs little': the cat of chapter 7."""
    cat = images.centre(images.load(images.names(images.EMBEDDED, "test")[0])[None], 256)
    profile = complexity.structural_complexity(cat[:, :, 64:192, 64:192])[0]
    assert profile[:2].sum() < 0.2 * profile.sum()


def test_our_comics_are_a_few_dozen_pages():
    assert len(set(surveyed("comics", 128, "picture"))) < 36


# --- chapters 4 and 5


def swept(name: str) -> dict[int, list[Record]]:
    """The sweep of a rain range, both seeds, by N."""
    part = SETTING.sweep(degradation=name)
    return estimates.by_count(part, {e: STORE.load(e.name) for e in part})


def heights(name: str, measure: str) -> list[float]:
    """Means on unseen rain, from the fewest backgrounds to the most."""
    return [estimates.mean(records, "unseen", measure).value for records in swept(name).values()]


def test_the_path_of_many_backgrounds_leads_to_less_damage_and_that_of_eight_to_more():
    """Chapter 4: 'With many backgrounds a path leads to the left; with 8 it leads to the right.'"""
    fall = {n: course(n, "e_b")[0] - course(n, "e_b")[-1] for n in swept("medium")}
    assert fall[8] < 0 and min(lost for n, lost in fall.items() if n > 8) > 5


@pytest.mark.parametrize("name", ["small", "medium", "large"])
def test_e_r_and_e_b_fall_alike(name: str):
    """Chapter 5, the caption of the papers' own measure."""
    for measure in ("e_r", "e_b"):
        falls = heights(name, measure)
        assert falls[0] - falls[1] > falls[1] - falls[-1] > 0


# --- chapters 4 and 5, on what networks do to pictures they know, and the exercises


def knowing(category: str, count: int) -> list[Record]:
    """The networks of chapter 4 that were tested on training patches, one a seed."""
    wanted = dict(backgrounds=category, patches=count, own_patches=8)
    seeds = SETTING.coarse_seeds
    return [STORE.load(SETTING.experiment(**SETTING.coarse, seed=s, **wanted).name) for s in seeds]


@pytest.mark.parametrize("category", ["natural", "faces"])
def test_few_backgrounds_give_their_own_pictures_back_and_do_not_darken_them(category: str):
    """Chapter 4: 'On its own pictures this gives the picture back.'"""
    records = knowing(category, 8)
    damage = estimates.own_patches(records, "unseen", "e_b").mean()
    assert damage < estimates.mean(records, "unseen", "e_b").value / 2
    assert abs(np.nanmean(estimates.own_patches(records, "unseen", "gain")) - 1) < 0.1


def test_two_kinds_of_unseen_rain_put_the_networks_in_another_order():
    """Chapter 4, below the gallery."""
    part = SETTING.sweep(True, backgrounds="natural")
    sweep = estimates.by_count(part, {e: STORE.load(e.name) for e in part})
    streaks, rain100l = (
        estimates.mean(sweep[8], test, "contrast").value
        - estimates.mean(sweep[512], test, "contrast").value
        for test in ("shown_unseen", "unseen")
    )
    assert streaks > 0 > rain100l


def course(count: int, curve: str) -> np.ndarray:
    """Along training on medium-range rain, the mean over seeds, the untrained network left out."""
    return np.mean([r.curves[f"unseen/{curve}"][1:] for r in swept("medium")[count]], axis=0)


def test_the_trial_pointed_the_same_way():
    """Chapter 4: one seed and another unseen rain, before the test on training patches."""
    records = knowing("natural", 8)[:1]
    assert estimates.known_against_new(records, "streaks", "contrast").value > 0
    assert estimates.known_against_new(records, "streaks", "e_b").value < 0


def test_with_a_larger_threshold_e_r_moves_most():
    """Chapter 2, solution to exercise 2."""
    shown = SETTING.experiment(patches=8).test("shown_unseen")
    rainy, clean = (images.to_unit(torch.stack(group)) for group in evaluation.load(shown))
    low, high = (
        {name: measure(clean, rainy, clean, t / 255).mean().item() for name, measure in MEASURES}
        for t in (10, 30)
    )
    assert high["e_r"] > low["e_r"] + 10
    assert [low["gain"], high["gain"], low["contrast"], high["contrast"]] == pytest.approx([1] * 4)


def test_a_small_share_of_x_does_not_protect():
    """Chapter 3, what was found: O = 4 has some x share, and does no better than O = 8."""
    four, eight = toy(4), toy(8)
    assert eight.curves["x_share"][-1] < 0.05 < four.curves["x_share"][-1] < 0.5
    assert four.curves["shifted"][-1] > 0.9 * eight.curves["shifted"][-1]


def test_on_the_rain_of_training_the_contrast_gain_rises():
    """Chapter 4, thoughts on exercise 1."""
    for records in swept("medium").values():
        curve = np.mean([record.curves["seen/contrast"] for record in records], axis=0)
        assert curve[-1] > curve[1]


def test_little_blur_makes_the_cat_soft():
    """Chapter 6, solution to exercise 1."""
    cat = images.load(images.names(images.EMBEDDED, "test")[0])[None]
    soft = complexity.SHARPNESS_CLASSES["low"][1]
    assert complexity.sharpness(gaussian_blur(cat, 31, 0.5)).item() > soft
    assert complexity.sharpness(gaussian_blur(cat, 31, 1.0)).item() < soft


def test_divided_by_the_variance_buildings_come_first_and_faces_last():
    """Chapter 7, solution to exercise 2."""
    shares = {}
    for name in claims.CATEGORIES:
        record = STORE.load(Survey(backgrounds=name).name)
        parts = estimates.structure(record)
        fine, whole = (estimates.by_picture(record, of).mean() for of in (parts[:2], parts))
        shares[name] = fine / whole
    order = ["urban", "natural", "comics", "faces"]
    assert sorted(shares, key=shares.get, reverse=True) == order
    medians = {name: np.median(surveyed(name, 128, "sharpness")) for name in order}
    assert sorted(medians, key=medians.get, reverse=True) == order  # "the order of sharpness"


# --- the README


def test_the_readme_states_the_verdicts_of_the_ledger():
    table = claims.table(SETTING, STORE)
    assert stored.results_in(ROOT / "README.md") == claims.at_a_glance(table)
    assert set(table["verdict"]) == set(claims.VERDICTS)


def test_the_readme_states_how_long_the_networks_were_trained():
    derain, toy_steps = set(), set()
    for experiment in claims.grid(SETTING):
        if isinstance(experiment, Restore):
            derain.add(experiment.iterations)
        elif isinstance(experiment, Toy):
            toy_steps.add(experiment.iterations)
    told = (
        f"{min(derain):,} to {max(derain):,} training steps (the toy networks {toy_steps.pop():,})"
    )
    assert told in (ROOT / "README.md").read_text(encoding="utf-8") and not toy_steps


# --- chapter 13


def test_a_slant_is_left_at_every_width():
    """'At every width little is gone, also at those widths that are taken well at 0 and 30.'"""
    for experiment in recorded.of_published()[:2]:  # those of which the chapter has maps
        record = STORE.load(experiment.name)
        assert record is not None
        found = recorded.cells(record)
        for width in (1, 3, 5, 7, 9):
            assert max(found[f"shape{angle}x{width}"] for angle in ("-60", "+60")) < 0.2
        taken = [found[f"shape{angle}x3"] for angle in ("-30", "+0", "+30")]
        assert min(taken) > 0.7


def test_a_longer_opening_takes_more_and_damages_more():
    """'Of all: a long opening levels whatever a short one does, and more. Least with thin ...'"""
    found = audit_inputs.Inputs(audit_inputs.make(sets=()).kinds)
    short, long = (
        scores.score(
            found,
            networks.outputs(
                models.build("opening", size=size), found.pictures(), networks.Wiring()
            ),
        )
        for size in (9, 15)
    )
    won = {
        a.kind.name: b.estimates["rejection"].value - a.estimates["rejection"].value
        for a, b in zip(short, long, strict=True)
    }
    assert min(won.values()) > 0 and min(won, key=won.get) == "streaks"
    assert long[0].estimates["damage"].value > short[0].estimates["damage"].value + 3
