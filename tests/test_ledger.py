"""Verdicts on made-up records whose answer is known; reversing the curves reverses the verdict."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from rainlens import cli, experiments, ledger, rain, toy_evaluation
from rainlens.experiments import Experiment, ToyExperiment
from rainlens.records import Record, RecordStore

COUNTS = (8, 64, 128, 256, 1024)
SETTING = replace(experiments.scale_named("cpu"), patch_counts=COUNTS, seeds=(0, 1))
IMAGES = 30
CLAIMS = {claim.id: claim for claim in ledger.CLAIMS}

# Mean scores by range at each N, as the papers describe them.
FALLING = {8: 1.0, 64: 0.7, 128: 0.5, 256: 0.3, 1024: 0.2}
DAMAGE = {8: 40.0, 64: 25.0, 128: 20.0, 256: 15.0, 1024: 14.0}
PSNR = {8: 18.0, 64: 20.0, 128: 21.0, 256: 24.0, 1024: 26.0}
TIPS = {"small": 0, "medium": 1, "large": 3}  # place of the last N above the tipping gain


def scores(means: dict[str, float], seed: int) -> dict[str, list[float]]:
    """Values of each measure around its mean: the same deviations everywhere, small seed shifts."""
    deviations = np.random.default_rng(0).normal(0, 0.02, IMAGES)
    return {
        name: list(mean + abs(mean) * (deviations + 0.001 * seed)) for name, mean in means.items()
    }


def derain_record(experiment: Experiment, means: dict[str, float]) -> Record:
    tests = {"unseen": scores(means, experiment.seed)}
    return Record(experiment.name, {"seed": experiment.seed}, {}, tests)


def as_in_the_papers(experiment: Experiment) -> dict[str, float]:
    n = experiment.patches
    untipped = COUNTS.index(n) <= TIPS[experiment.rain]
    return {
        "gain": 1.0 if untipped else FALLING[n],
        "contrast": 0.6,
        "e_r": 50 * FALLING[n] * (2 if experiment.rain == "large" else 1),
        "e_b": DAMAGE[n],
        "psnr": PSNR[n],
        "input_psnr": 25.5,
    }


def reversed_curves(experiment: Experiment) -> dict[str, float]:
    """The same numbers with N the other way round, ranges exchanged, and PSNR higher."""
    rain_name = {"small": "large", "medium": "medium", "large": "small"}[experiment.rain]
    count = COUNTS[::-1][COUNTS.index(experiment.patches)]
    means = as_in_the_papers(replace(experiment, rain=rain_name, patches=count))
    if rain_name != "medium":  # the tipping points change places: each curve must still fall
        means["gain"] = as_in_the_papers(replace(experiment, rain=rain_name))["gain"]
    return {**means, "psnr": means["psnr"] + 12}


def toy_record(experiment: ToyExperiment, worse: Callable[[int], float], recites: bool) -> Record:
    x = np.linspace(-10, 10, toy_evaluation.POINTS)
    own = 10 * np.cos(np.pi * x / 10)
    tests = {}
    for name in toy_evaluation.panels(experiment.order):
        matched = name == f"order{experiment.order}"
        error = worse(experiment.order) if matched else 1000 * worse(experiment.order)
        answer = own if recites else np.zeros_like(x)
        foreign = 100.0 if recites else 0.1
        mse = foreign if experiment.order == 1 and name.startswith(("order4", "order8")) else error
        tests[name] = {"mse": scores({"m": mse}, 0)["m"], "output": answer.tolist()}
    return Record(experiment.name, {"order": experiment.order, "seed": 0}, {}, tests)


def fill(store: RecordStore, means: Callable[[Experiment], dict[str, float]]) -> None:
    for name in rain.RANGES:
        for count in COUNTS:
            for seed in SETTING.seeds:
                experiment = SETTING.experiment(rain=name, patches=count, seed=seed)
                store.save(derain_record(experiment, means(experiment)))


def fill_toys(store: RecordStore, worse: Callable[[int], float], recites: bool) -> None:
    for order in toy_evaluation.ORDERS:
        store.save(toy_record(SETTING.toy(order), worse, recites))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Claim -> verdict, on records as in the papers, on reversed ones, and without any."""
    stores = {name: RecordStore(tmp_path_factory.mktemp(name)) for name in ("as", "other", "none")}
    fill(stores["as"], as_in_the_papers)
    fill_toys(stores["as"], lambda order: 0.001 * order, recites=True)
    fill(stores["other"], reversed_curves)
    fill_toys(stores["other"], lambda order: 0.01 / order, recites=False)
    tables = {name: ledger.table(SETTING, store) for name, store in stores.items()}
    return {name: dict(zip(t["claim"], t["verdict"], strict=True)) for name, t in tables.items()}


DECIDED = [
    "collapse",
    "rain-range",
    "reconstruction",
    "toy-content",
    "toy-noise",
    "balance",
    "psnr-misleads",
]


@pytest.mark.parametrize("claim", DECIDED)
def test_reversing_the_curves_reverses_the_verdict(verdicts, claim: str):
    assert verdicts["as"][claim] == ledger.REPRODUCED
    assert verdicts["other"][claim] == ledger.NOT_REPRODUCED
    assert verdicts["none"][claim] == ledger.UNDECIDED


def test_a_claim_about_twelve_sweeps_is_not_decided_by_one(verdicts):
    assert verdicts["as"]["fewer-backgrounds"] == ledger.UNDECIDED
    assert verdicts["other"]["fewer-backgrounds"] == ledger.NOT_REPRODUCED


def test_seeds_that_disagree_leave_a_claim_undecided(tmp_path):
    store = RecordStore(tmp_path)

    def torn(experiment: Experiment) -> dict[str, float]:
        means = as_in_the_papers(experiment)
        if experiment.seed == 1 and experiment.patches == 256:
            means["gain"] = 0.55  # less than half a unit lower than at N = 8
        return means

    fill(store, torn)
    table = ledger.table(SETTING, store).set_index("claim")
    assert table.loc["collapse", "verdict"] == ledger.UNDECIDED


def test_a_finding_names_its_records_and_no_others(tmp_path):
    store = RecordStore(tmp_path)
    fill(store, as_in_the_papers)
    table = ledger.table(SETTING, store).set_index("claim")
    assert len(table.loc["collapse", "records"]) == len(COUNTS) * 2
    assert all("-medium-" in name for name in table.loc["collapse", "records"])
    assert len(table.loc["rain-range", "records"]) == 3 * len(COUNTS) * 2
    assert table.loc["judge", "records"] == ()


def test_every_claim_is_told_once_with_its_place():
    assert len(CLAIMS) == len(ledger.CLAIMS) == 21
    for claim in ledger.CLAIMS:
        assert claim.text.endswith(".") and claim.where[:2] in ("P ", "N ") and claim.paper
        assert (claim.judge is None) or claim.judge.__doc__


def test_the_command_lists_all_claims_and_counts_verdicts(tmp_path, monkeypatch):
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path))
    result = CliRunner().invoke(cli.app, ["claims", "--long"])
    assert result.exit_code == 0
    assert all(
        claim.id in result.output and claim.text in result.output for claim in CLAIMS.values()
    )
    assert "21 claims at scale cpu: 0 reproduced, 0 not reproduced, 21 not decided" in result.output
