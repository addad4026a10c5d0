"""Figures carry their text, and pictures keep their pixels."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from rainlens import plots


def pictures_of(shown: plots.Shown) -> list[Image.Image]:
    found = re.findall(r"base64,([A-Za-z0-9+/=]+)", shown._repr_mimebundle_()["text/html"])
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def test_a_chart_has_alt_text_and_caption_and_is_closed():
    figure, axes = plt.subplots(figsize=(4, 2))
    axes.plot([1, 2])
    page = plots.chart(figure, alt='a "rising" line', caption="What to notice: it rises.")
    bundle = page._repr_mimebundle_()
    assert 'alt="a &quot;rising&quot; line"' in bundle["text/html"]
    assert "What to notice: it rises." in bundle["text/html"]
    assert bundle["text/plain"] == '[a "rising" line]'
    assert not plt.fignum_exists(figure.number)
    assert pictures_of(page)[0].width >= 4 * 150  # sharp on dense screens


def test_a_gallery_enlarges_by_whole_pixels():
    picture = torch.zeros(3, 4, 4)
    picture[:, 1, 2] = 1.0
    shown = plots.gallery([(picture, "one < dot")], alt="a dot", caption="", zoom=8)
    (image,) = pictures_of(shown)
    assert image.size == (32, 32)
    bright = np.asarray(image.convert("L")) > 128
    assert bright[8:16, 16:24].all() and bright.sum() == 64
    assert "one &lt; dot" in shown.body


def test_enlarge_repeats_pixels():
    grown = plots.enlarge(torch.tensor([[1, 2]]), 2)
    assert grown.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_counts_are_the_ticks_of_their_axis():
    _, axes = plt.subplots()
    plots.axis_of_counts(axes, (8, 64, 1024))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["8", "64", "1,024"]
    assert axes.get_xscale() == "log"
    plt.close("all")
