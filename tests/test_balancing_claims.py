"""Rules for claims about balance, on made-up records; reversed evidence reverses the verdict."""

from dataclasses import replace

import numpy as np
import pytest

from rainlens import degradations, scales
from rainlens.claims import balancing
from rainlens.claims.balancing import ALONE, ELSEWHERE, SAME, Row
from rainlens.claims.evidence import Evidence, Missing, OutOfReach
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED
from rainlens.records import Record, described
from rainlens.tasks.restore import Restore

CPU = scales.scale_named("cpu")
WHOLE = replace(CPU, options={k: v for k, v in CPU.options.items() if k != "balance"})
MOST = CPU.patch_counts[-1]
# E_R, rejection and E_B by row, as the paper's table has them.
TABLE = {
    Row(MOST, "medium"): (30.0, 0.4, 5.0),
    Row(64, "medium"): (50.0, 0.8, 15.0),
    Row(512, "large"): (37.0, 0.5, 8.0),
    Row(256, "large"): (39.0, 0.6, 8.5),
    Row(128, "large"): (44.0, 0.7, 13.0),
    Row(MOST, "large"): (34.0, 0.5, 6.0),
}


def record(experiment: Restore, e_r: float, rejection: float, e_b: float) -> Record:
    noise = np.random.default_rng(experiment.seed).normal(0, 0.02, 40)
    scores = {"e_r": e_r + noise, "response": 1 - rejection + noise / 50, "e_b": e_b + noise}
    tests = {"unseen": {name: list(values) for name, values in scores.items()}}
    return Record(experiment.name, described(experiment), {}, tests)


def of_table(needs, setting=WHOLE, **changes) -> Evidence:
    """changes: a network's name -> rows that differ."""
    parts, found = needs(setting), {}
    for experiment in (e for part in parts.values() for e in part):
        row = Row(experiment.patches, experiment.degradation)
        values = {**TABLE, **changes.get(experiment.model, {})}[row]
        found[experiment.name] = record(experiment, *values)
    return Evidence(parts, found.get)


def of_arms(**levels: float) -> Evidence:
    """levels: alone, same, elsewhere; what each arm keeps out."""
    parts, found = balancing.semi(CPU), {}
    named = dict(zip(("alone", "same", "elsewhere"), (ALONE, SAME, ELSEWHERE), strict=True))
    for name, level in levels.items():
        for experiment in parts[named[name]]:
            found[experiment.name] = record(experiment, 50 * level, level, 10)
    return Evidence(parts, found.get)


@pytest.mark.parametrize("network", balancing.OTHERS)
def test_balance_must_hold_in_both_networks_for_both_numbers(network):
    judge, needs = balancing.balance_networks, balancing.needs_balance
    assert judge(of_table(needs)).verdict == REPRODUCED
    for row in (Row(128, "large"), Row(256, "large")):
        little = {network: {row: (25.0, 0.3, 8.0)}}
        spoiled = {network: {row: (44.0, 0.7, 20.0)}}
        for changes in (little, spoiled):
            finding = judge(of_table(needs, **changes))
            assert finding.verdict == finding.by_rain.verdict == NOT_REPRODUCED


@pytest.mark.parametrize("network", balancing.OTHERS)
def test_a_wider_range_must_help_and_fewer_backgrounds_beside_it_must_help_more(network):
    judge, needs = balancing.wider_range, balancing.needs_wider
    finding = judge(of_table(needs))
    assert finding.verdict == finding.by_rain.verdict == REPRODUCED
    no_help = {network: {Row(MOST, "large"): (28.0, 0.35, 6.0)}}
    no_more = {network: {Row(128, "large"): (33.0, 0.45, 13.0)}}
    for changes in (no_help, no_more):
        finding = judge(of_table(needs, **changes))
        assert finding.verdict == finding.by_rain.verdict == NOT_REPRODUCED


def test_each_measure_decides_for_itself():
    by_e_r_alone = {"rcdnet": {Row(MOST, "large"): (34.0, 0.3, 6.0)}}
    finding = balancing.wider_range(of_table(balancing.needs_wider, **by_e_r_alone))
    assert finding.verdict == REPRODUCED and finding.by_rain.verdict == NOT_REPRODUCED


def test_light_networks_have_one_seed_which_decides_nothing():
    evidence = of_table(balancing.needs_balance, CPU)
    assert len(evidence.names) == 2 * 4
    finding = balancing.balance_networks(evidence)
    assert finding.verdict == UNDECIDED and "one seed" in finding.effect


def test_unlabelled_rain_must_help_where_it_is_the_tests_and_nowhere_else():
    judge = balancing.semi_supervised
    for finding in (
        judge(of_arms(alone=0.5, same=0.8, elsewhere=0.5)),
        judge(of_arms(alone=0.5, same=0.8, elsewhere=0.4)),
    ):
        assert finding.verdict == finding.by_rain.verdict == REPRODUCED
    for finding in (
        judge(of_arms(alone=0.5, same=0.4, elsewhere=0.5)),  # it harms
        judge(of_arms(alone=0.5, same=0.8, elsewhere=0.7)),  # any rain helps
    ):
        assert finding.verdict == finding.by_rain.verdict == NOT_REPRODUCED
    assert judge(of_arms(alone=0.5, same=0.5, elsewhere=0.5)).verdict == UNDECIDED


def test_what_is_missing_or_not_trained_is_said():
    with pytest.raises(Missing):
        balancing.semi_supervised(of_arms(alone=0.5, same=0.8))
    smoke = scales.scale_named("smoke")
    parts = balancing.needs_wider(smoke)
    found = {e.name: record(e, 1, 1, 1) for part in parts.values() for e in part}
    with pytest.raises(OutOfReach, match="N = 128"):
        balancing.wider_range(Evidence(parts, found.get))


def test_the_cells_are_those_of_the_table_and_a_row_of_ours():
    cells = balancing.cells(CPU)
    assert len(cells) == 3 * 6
    assert {row for _, row in cells} == set(TABLE)
    usual = cells["resnet", Row(128, "large")]
    assert usual == [CPU.experiment(patches=128, degradation="large", seed=s) for s in CPU.seeds]
    for network in balancing.OTHERS:
        (light,) = cells[network, Row(128, "large")]
        assert light.learning_rate == balancing.RATES[network] and light.batch == 4
        assert [test.name for test in light.tests] == ["unseen", "shown_unseen"]
        assert light.test("unseen").count == 50


def test_a_scale_without_a_number_takes_its_nearest():
    rows = balancing.rows(scales.scale_named("smoke"))
    assert rows[Row(30_000, "medium")] == Row(512, "medium")
    assert rows[Row(128, "large")] == rows[Row(256, "large")] == Row(64, "large")


def test_light_networks_are_called_light():
    titles = {n: balancing.title(balancing.cell(CPU, n, 64, "medium")) for n in balancing.NETWORKS}
    assert titles == {"resnet": "ResNet", "spdnet": "SPDNet, light", "rcdnet": "RCDNet, light"}
    whole = balancing.cell(scales.scale_named("gpu"), "spdnet", 64, "medium")
    assert balancing.title(whole) == "SPDNet" and whole.batch == 16


def test_arms_differ_in_their_unlabelled_rain_alone():
    alone, same, elsewhere = balancing.semi(CPU).values()
    assert [e.seed for e in alone] == list(CPU.seeds)
    assert (same[0].unlabelled, elsewhere[0].unlabelled) == ("rain100l", "rain100h")
    assert replace(same[1], unlabelled=None) == replace(elsewhere[1], unlabelled=None) == alone[1]
    smoke = balancing.semi(scales.scale_named("smoke"))
    assert all(arm[0].needs() == {"embedded"} for arm in smoke.values())


def test_tinted_rain_is_tested_on_the_pictures_of_the_grey():
    for experiment in balancing.tinted(CPU).values():
        grey, tinted = experiment.test("grey"), experiment.test("tinted")
        assert replace(tinted, name="grey", degradation="medium") == grey
        assert degradations.named(tinted.degradation).tint != (1, 1, 1)
        assert (experiment.patches, experiment.degradation) == (MOST, "medium")


def test_every_experiment_of_the_chapter_stands_once():
    names = [e.name for e in balancing.wanted(CPU)]
    assert len(names) == len(set(names)) == 6 * 3 + 2 * 6 + 3 * 3 + 1
