"""Tables and figures of chapter 9, on made-up records."""

import numpy as np
import pytest
import torch

from rainlens import balance_plots, balance_tables
from rainlens.balance_plots import Point
from rainlens.balance_tables import BLANK, PAPER
from rainlens.claims.balancing import Row
from rainlens.records import Record

FIRST, FEW = Row(30_000, "medium"), Row(64, "medium")
WIDE, ADVISED = Row(30_000, "large"), Row(128, "large")
TITLES = {"resnet": "ResNet", "spdnet": "SPDNet, light"}
EVEN = {"e_r": 30.0, "e_b": 10.0, "psnr": 25.0, "response": 0.4, "exact_e_r": 37.0, "gain": 0.5}


def record(seed: int = 0, **means: float) -> Record:
    """Values close to their means, and a training whose damage falls."""
    noise = np.array([-0.01, 0.01])
    unseen = {name: list(value + noise) for name, value in {**EVEN, **means}.items()}
    level = 1 - unseen["response"][0]
    curves = {"iteration": [0, 5, 10], "unseen/e_b": [40, 12, 8]}
    curves["unseen/contrast"] = [0, level, level]
    return Record(f"r{seed}{means}", {"seed": seed}, curves, {"unseen": unseen})


def rows_of(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_papers_numbers_stand_beside_ours_and_each_blank_shows():
    rows = {FIRST: FIRST, FEW: Row(32, "medium"), ADVISED: ADVISED}
    found = {("spdnet", FIRST): [record(0), record(1)], ("spdnet", FEW): [record(0)]}
    head, _, whole, blank, empty = rows_of(balance_tables.table("spdnet", "SPDNet", rows, found))
    assert len({len(row) for row in (head, whole, blank, empty)}) == 1
    assert [whole[i] for i in (1, 3, 5)] == ["33.63", "5.49", "30.51 / 25.0"]
    assert whole[2].startswith("30.0 [") and whole[6].startswith("0.60 [")
    assert blank[0] == "64/medium (here 32)"
    assert blank[1] == BLANK and blank[2] == "30.0"  # one seed has no interval
    assert empty == ["128/large", "43.20", "", "14.59", "", "25.67 /", ""]


def test_the_papers_table_is_copied_as_it_is():
    """15 cells, of which two are blanks; sums by hand from Hu 2026, Table 3."""
    assert len(PAPER) == 13
    by_network = {n: [v for (name, _), v in PAPER.items() if name == n] for n in TITLES}
    e_r, e_b, psnr = (sum(column) for column in zip(*by_network["resnet"], strict=True))
    assert (e_r, e_b, psnr) == pytest.approx((181.96, 75.85, 91.77))
    e_r, e_b, psnr = (sum(column) for column in zip(*by_network["spdnet"], strict=True))
    assert (e_r, e_b, psnr) == pytest.approx((155.58, 37.02, 114.15))
    e_r = sum(v[0] for (name, _), v in PAPER.items() if name == "rcdnet")
    assert e_r == pytest.approx(194.62)


def test_marks_are_exact_removal_the_untouched_input_and_the_best_filters():
    filters = {
        "untouched": record(e_r=0, e_b=0, response=1),
        "thorough": record(response=0.1, e_b=20, psnr=20),
        "near": record(response=0.5, e_b=15, psnr=27),
        "gentle": record(response=0.9, e_b=1, psnr=26),
        "no good": record(response=0.6, e_b=16, psnr=19),
    }
    assert balance_tables.best_filters(filters) == ["thorough", "near", "gentle"]
    found = rows_of(balance_tables.table_of_marks(filters, record()))
    assert [row[0] for row in found[2:4]] == ["exact removal", "untouched"]
    assert found[2][1:] == ["37.0", "0.0", "∞", "1.00"] and found[3][4] == "0.00"


def test_what_is_missing_is_named():
    found = {("resnet", FIRST): [record()], ("resnet", FEW): []}
    told = balance_tables.missing(TITLES, (FIRST, FEW), found)
    assert told == "ResNet (64/medium), SPDNet, light (all rows)"
    assert balance_tables.missing({"resnet": "ResNet"}, (FIRST,), found) == ""


def test_two_steps_lead_from_the_first_row_to_the_advised():
    cells = {FIRST: (0.6, 10.0), WIDE: (0.3, 10.0), ADVISED: (0.3, 14.0)}
    found = {
        ("resnet", row): [record(s, response=r, e_b=b) for s in (0, 1, 2)]
        for row, (r, b) in cells.items()
    }
    found |= {("spdnet", row): part[:1] for (_, row), part in [*found.items()]}
    _, _, alone, then, light, _ = rows_of(balance_tables.steps(TITLES, found))
    assert alone[:2] == ["ResNet", "the range alone"] and alone[2].startswith("0.30")
    assert alone[4] == "more removal, damage undecided"
    assert then[4] == "removal undecided, more damage"
    assert then[3].startswith("4.0") and light[4] == "one seed decides nothing"
    assert balance_tables.steps(TITLES, {("resnet", FIRST): [record()]}) == ""


def test_at_equal_damage_rows_stand_against_the_first():
    found = {
        ("resnet", FIRST): [record(s, response=0.6) for s in (0, 1)],
        ("resnet", FEW): [record(s, response=0.4) for s in (0, 1)],
    }
    head, _, row = rows_of(balance_tables.table_at_equal_damage(TITLES, (FIRST, FEW), found))
    assert head == ["against 30,000/medium", "ResNet", "SPDNet, light"]
    assert row[0] == "64/medium" and row[1].startswith("0.20") and row[2] == ""


def test_the_effect_of_a_tint_is_taken_picture_by_picture():
    tests = {"grey": {"response": [0.1, 0.3, None]}, "tinted": {"response": [0.3, 0.5, 0.9]}}
    grey, tinted, change = balance_tables.tint_effect(Record("r", {"seed": 0}, {}, tests))
    assert (grey.value, tinted.value) == pytest.approx((0.8, 0.6))
    assert change.value == pytest.approx(-0.2) and change.width == pytest.approx(0)


def test_a_front_holds_what_no_row_of_the_network_beats():
    placed = {
        ("resnet", FIRST): Point(10, 0.5),
        ("resnet", WIDE): Point(12, 0.7),
        ("resnet", ADVISED): Point(14, 0.6),  # WIDE beats it
        ("resnet", FEW): Point(20, 0.8),
        ("spdnet", FIRST): Point(1, 0.9),  # another network
    }
    assert balance_plots.front(placed, "resnet") == [FIRST, WIDE, FEW]
    assert balance_plots.front(placed, "rcdnet") == []


def test_a_filter_beats_a_cell_clearly_in_both_or_not_at_all():
    found = {
        ("resnet", FIRST): [record(s, response=0.5) for s in (0, 1)],
        ("resnet", FEW): [record(s, e_b=20, response=0.2) for s in (0, 1)],
        ("spdnet", FEW): [record(0, e_b=20, response=0.9)],  # one seed decides nothing
        ("spdnet", FIRST): [],
    }
    filters = {"good": record(e_b=9, response=0.4), "soft": record(e_b=5, response=0.6)}
    filters["hardly"] = record(e_b=9, response=0.499)  # within the interval
    told = balance_plots.beaten(found, TITLES, filters)
    assert told == ["ResNet 30,000/medium by good"]


def test_rows_are_level_with_the_best_unless_its_lead_is_clear():
    levels = {FIRST: 0.6, WIDE: 0.2, ADVISED: 0.201, FEW: 0.3}
    found = {row: [record(s, response=r) for s in (0, 1)] for row, r in levels.items()}
    found[ADVISED] = [record(s, response=0.2 + 0.1 * (s - 0.5)) for s in (0, 1)]
    assert balance_plots.level_with(found, WIDE, "rejection") == [ADVISED]
    assert balance_plots.level_with({**found, FIRST: []}, FEW, "rejection") == [WIDE, ADVISED]


def test_of_filters_those_on_their_front_among_the_cells_are_named():
    filters = {
        "untouched": record(e_b=2, response=1),
        "gentle": record(e_b=5, response=0.5),
        "worse": record(e_b=6, response=0.6),
        "far": record(e_b=50, response=0.1),
    }
    placed = {("resnet", FIRST): Point(20, 0.5)}
    assert balance_plots.named_filters(filters, placed) == ["gentle"]


def test_a_network_without_records_has_the_papers_table_folded():
    told = balance_tables.table("spdnet", "SPDNet", {FIRST: FIRST}, {})
    assert told.startswith("<details>") and "33.63" in told


def test_each_cell_lies_where_its_records_say_in_both_planes():
    found = {("resnet", FIRST): [record()], ("spdnet", FEW): [record(e_b=20, response=0.1)]}
    figure = balance_plots.plane(found, TITLES, {"untouched": record(e_b=2, response=1)}, 37.0)
    left, right = figure.axes
    assert right.get_legend() is None
    drawn = [line.get_xydata() for line in left.get_lines() if len(line.get_xydata())]
    at = [tuple(np.round(first[0], 6)) for first in drawn]
    assert (10.0, 0.6) in at and (20.0, 0.9) in at and (2.0, 0.0) in at and (0.0, 1.0) in at
    assert (0.0, 37.0) in [
        tuple(line.get_xydata()[0]) for line in right.get_lines() if len(line.get_xydata())
    ]
    legend = [text.get_text() for text in left.get_legend().get_texts()]
    assert legend[:2] == list(TITLES.values()) and legend[2:] == list(
        map(str, balance_plots.MARKERS)
    )


def test_arms_show_each_seed_and_intervals_where_there_are_some():
    found = {"alone": [record(0), record(1, response=0.3)], "with rain": [record(0)]}
    left, _ = balance_plots.arms_chart(found).axes
    drawn = [line.get_xdata().tolist() for line in left.get_lines()]
    assert [round(x, 2) for x in drawn[0]] == [0.6, 0.7]
    bars = [x for x in drawn if len(x) == 2]
    assert len(bars) == 2  # two seeds of an arm, and its interval; one seed has none
    names = [tick.get_text() for tick in left.get_yticklabels()]
    assert names == ["alone", "with\nrain"]


def test_the_median_picture_is_chosen_and_of_two_the_lower():
    def shown(*gains: float) -> Record:
        return Record("r", {"seed": 0}, {}, {"shown_unseen": {"gain": list(gains)}})

    assert balance_plots.typical_picture([shown(0.9, 0.1, 0.5)]) == 2
    assert balance_plots.typical_picture([shown(0.9, 0.1)]) == 1
    assert balance_plots.typical_picture([shown(0.9, 0.1), shown(0.1, 0.95)]) == 0


def test_grey_rain_leaves_the_residue_and_a_tint_does_not():
    dark = torch.randint(0, 60, (3, 48, 48), dtype=torch.uint8)  # far from white
    tiles = balance_plots.residues(dark)
    labels = [label for _, label in tiles]
    shares = [int(label.split("%")[0].split()[-1]) for label in labels[-2:]]
    assert len(tiles) == 6 and shares[0] > 60 and shares[1] < 10
    assert all(picture.shape == (3, 48, 48) for picture, _ in tiles)
