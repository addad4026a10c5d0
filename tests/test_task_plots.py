"""Figures of chapter 11 and their words, on made-up records."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rainlens import task_plots
from rainlens.claims import other_tasks
from rainlens.records import Record


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def record(level: float, seed: int = 0, **more: list[float]) -> Record:
    psnr = [level + step for step in np.linspace(-2, 2, 41)]
    columns = {"psnr": psnr, "ssim": [p / 40 for p in psnr], "input_psnr": [22.0] * 41, **more}
    return Record(f"r{level}{seed}", {"seed": seed}, {}, {"unseen": columns})


FOUND = {
    "untouched": [record(22.0)],
    "median 3": [record(26.0)],
    "ResNet": [record(24.0, seed) for seed in (0, 1)],
    "VQGAN": [record(21.0)],
}
APPRAISED = {"untouched": record(22.0, lpips_style=[0.4, 0.1, 0.2]), "VQGAN": record(21.0)}
COLUMNS = other_tasks.scores(FOUND, APPRAISED)


def test_only_what_is_recorded_has_a_column():
    assert list(COLUMNS) == ["psnr", "ssim", "lpips_style"]
    assert list(COLUMNS["psnr"]) == list(FOUND) and list(COLUMNS["lpips_style"]) == ["untouched"]
    assert COLUMNS["psnr"]["ResNet"].shape == (2, 41)
    assert list(other_tasks.scores(FOUND, {})) == ["psnr", "ssim"]


def test_the_worst_pictures_lie_where_the_measure_points_down():
    values = np.arange(101.0)[None]
    assert other_tasks.worst(values, "psnr") == 5 and other_tasks.worst(values, "lpips_style") == 95


def test_a_violin_has_its_mean_its_low_end_and_the_ceiling():
    psnr, _, distance, empty = task_plots.violins(COLUMNS, {"psnr": 27.0}).axes
    assert [label.get_text() for label in psnr.get_xticklabels()] == list(FOUND)
    lines = [line.get_ydata() for line in psnr.get_lines()]
    assert [y[0] for y in lines if len(y) == 1] == pytest.approx([22, 26, 24, 21])
    lows = [y[0] for line, y in zip(psnr.get_lines(), lines, strict=True) if len(y) == 2]
    assert lows == pytest.approx([20.2, 24.2, 22.2, 19.2, 27.0])
    assert distance.yaxis_inverted() and not psnr.yaxis_inverted() and not empty.axison


def test_gains_are_in_order_and_cross_zero_where_pictures_get_worse():
    (axes,) = task_plots.gains({"denoise": FOUND}).axes
    lines = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    assert list(lines) == list(FOUND) and axes.get_title(loc="left") == "Denoising"
    steps = lines["VQGAN"]
    assert (np.diff(steps, axis=0) > 0).all() and (steps[0, 1], steps[-1, 1]) == (-3, 1)


def sweep(measure: str, *levels: float) -> dict[int, list[Record]]:
    return {
        8 * 8**place: [
            Record(f"{seed}", {"seed": seed}, {}, {"unseen": {measure: [level - 0.01, level]}})
            for seed in (0, 1)
        ]
        for place, level in enumerate(levels)
    }


def test_noise_and_rain_stand_side_by_side_over_n():
    found = {
        "impulse_removal": sweep("impulse_removal", 0.9, 0.5, 0.2),
        "contrast": sweep("contrast", 0.8, 0.5, 0.2),
    }
    noise, rain = task_plots.sweeps(found).axes
    assert noise.get_lines()[0].get_ydata().tolist() == pytest.approx([0.895, 0.495, 0.195])
    assert rain.get_lines()[0].get_ydata().tolist() == pytest.approx([0.795, 0.495, 0.195])
    told = task_plots.trends(found)
    assert told.count("it falls") == 2 and "N = 8 and 0.20 with 512" in told
    rising = {"impulse_removal": sweep("impulse_removal", 0.2, 0.9)}
    assert "it rises" in task_plots.trends(rising)
    single = {n: records[:1] for n, records in rising["impulse_removal"].items()}
    assert "one seed each decides nothing" in task_plots.trends({"impulse_removal": single})


def test_the_words_follow_the_records():
    assert task_plots.best(COLUMNS) == "median 3"
    told = task_plots.summary(COLUMNS, "median 3")
    assert "median 3 is best with 26.0 dB, 4.0 dB above the untouched input" in told
    assert "which has learned nothing, beats ResNet and VQGAN" in told
    strong = {**FOUND, "median 3": [record(20.0)]}
    told = task_plots.summary(other_tasks.scores(strong, {}), "median 3")
    assert "ResNet is best with 24.0" in told and "beaten by all that was trained" in told
    harmful = {"untouched": [record(22.0)], "Wiener": [record(20.0)]}
    told = task_plots.summary(other_tasks.scores(harmful, {}), "Wiener")
    assert told == "By PSNR, nothing is better than the untouched input with 22.0 dB. "
    assert "untouched 22.0, worst 5 % from 20.2" in task_plots.told(COLUMNS)


def test_the_table_has_an_interval_where_there_are_seeds():
    rows = task_plots.table(FOUND, COLUMNS).splitlines()
    assert rows[0] == "| | PSNR | worst 5 % | tail | SSIM | LPIPS-style | made worse |"
    cells = {row.split("|")[1].strip(): [c.strip() for c in row.split("|")[2:-1]] for row in rows}
    assert cells["ResNet"][0].startswith("24.0 [") and cells["VQGAN"][0] == "21.0"
    assert cells["VQGAN"][1:3] == ["19.2", "1.8"] and cells["VQGAN"][5] == "73%"
    assert cells["untouched"][4] == "0.233" and cells["VQGAN"][4] == ""


def test_what_was_learned_stands_beside_what_is_new():
    def both(seen: float, unseen: float, **more: list[float]) -> Record:
        levels = ("seen", seen), ("unseen", unseen)
        tests = {t: {"psnr": [v, v + 2], "input_psnr": [20.0, 21.0]} for t, v in levels}
        tests["unseen"] |= more
        return Record(f"{seen}", {"seed": 0}, {}, tests)

    parts = {"ResNet": [both(30, 22, impulse_removal=[0.2, 0.4])], "untouched": [both(19.5, 19.5)]}
    rows = [r.strip("| ").split(" | ") for r in task_plots.learned(parts).splitlines()]
    assert rows[0] == ["trained damage", "new damage", "impulses gone"]
    assert rows[2] == ["ResNet", "+10.5 dB", "+2.5 dB", "0.30"]
    assert rows[3][:3] == ["untouched", "+0.0 dB", "+0.0 dB"]
    del parts["ResNet"]
    assert "impulses" not in task_plots.learned(parts)


def test_what_is_missing_or_of_fewer_pictures_is_said():
    told = task_plots.lacking("denoise", ["a", "b", "c"], ["b"])
    assert told == "Not computed yet for denoising: a and c. "
    assert task_plots.lacking("deblur", ["a"], ["a"]) == ""
    told = task_plots.fewer(COLUMNS)
    assert "LPIPS-style distance is of the first 3 of 41 pictures" in told
    assert "not computed yet of median 3, ResNet and VQGAN" in told
    assert task_plots.fewer(other_tasks.scores(FOUND, {})) == ""
