"""Figures of chapter 10, on a small prior and on made-up records."""

import torch

from rainlens import images, prior_plots
from rainlens.models.vqgan import VQGAN
from rainlens.records import Record

MODEL = VQGAN("F", codes=24).eval()


def record(seed: int, e_b: float, response: float) -> Record:
    tests = {"unseen": {"e_b": [e_b - 1, e_b + 1], "response": [response] * 2}}
    curves = {"iteration": [0, 5, 10], "unseen/contrast": [0, 0.5, 0.6], "unseen/e_b": [9, 8, 7]}
    return Record(f"r{seed}", {"seed": seed}, curves, tests)


def test_a_sheet_holds_each_code_as_it_is_drawn_alone():
    sheet = prior_plots.code_sheet(MODEL, [5, 7, 9], side=2, columns=2)
    size = 2 * MODEL.factor
    assert sheet.shape == (3, 2 * size + prior_plots.GAP, 2 * size + prior_plots.GAP)
    book = MODEL.state_dict()["quantize.embedding.weight"]
    with torch.inference_mode():
        alone = MODEL.decode(book[9][None, :, None, None].expand(1, -1, 2, 2)).clamp(0, 1)
    tile = sheet[:, size + prior_plots.GAP :, :size]
    assert (tile.int() - images.to_bytes(alone)[0].int()).abs().max() <= 1
    assert bool((sheet[:, -size:, -size:] == 255).all())  # no fourth code


def test_codes_go_from_dark_to_bright_and_reach_both_ends():
    chosen = prior_plots.by_brightness(MODEL, 6)
    book = MODEL.state_dict()["quantize.embedding.weight"]
    with torch.inference_mode():
        mean = MODEL.decode(book[:, :, None, None]).mean((1, 2, 3))
    levels = [mean[code].item() for code in chosen]
    assert levels == sorted(levels) and len(set(chosen)) == 6
    assert levels[0] == mean.min() and levels[-1] == mean.max()


def test_an_arm_lies_where_its_records_say():
    found = {"method": [record(0, 12, 0.2), record(1, 16, 0.4)], "ablation": [record(0, 30, 0.1)]}
    (axes,) = prior_plots.plane(found, {"ceiling": 10.0}, untouched=record(0, 2, 1)).axes
    marks = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert marks["method"] == [[14.0, 0.7]] and marks["ablation"] == [[30.0, 0.9]]
    assert marks["the untouched input"] == [[2.0, 0.0]]
    assert [10.0, 10.0] in [list(line.get_xdata()) for line in axes.get_lines()]


def test_courses_leave_the_untrained_network_out():
    removal, damage = prior_plots.courses({"method": [record(0, 12, 0.2)]}).axes
    assert removal.get_lines()[0].get_xydata().tolist() == [[5, 0.5], [10, 0.6]]
    assert damage.get_lines()[0].get_ydata().tolist() == [8, 7]


def test_the_scheme_says_what_learns_and_what_is_frozen():
    told = [text.get_text() for text in prior_plots.scheme().axes[0].texts]
    assert told.count("learns") == 1 and told.count("frozen") == 2
