"""The staged book: a copy in `_build/<scale>` of what it is made of, completed from records.

So building never dirties a checkout.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rainlens import scales, toy_evaluation
from rainlens.judging.blind import manifest
from rainlens.models.vqgan import VQGAN
from rainlens.site import architecture, blind, front_page, provenance
from rainlens.site.marks import fill
from rainlens.site.sources import chapters, project
from rainlens.tasks import codebook, restore
from rainlens.tasks import toy as toy_task
from rainlens.widgets import code_lab, explorer, rain_lab, toy, trainer_lab


def stage(scale: str) -> Path:
    """An empty `_build/<scale>` with the book's settings and pages, but no chapters yet."""
    root = project()
    folder = root / "_build" / scale
    # The HTML of the last build stays until the new one replaces it.
    for part in ("book", "notebooks"):
        if (folder / part).exists():
            shutil.rmtree(folder / part)
    (folder / "notebooks").mkdir(parents=True)
    shutil.copytree(root / "book", folder / "book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, folder / name)
    return folder


def lay_out(folder: Path, scale: str) -> None:
    """Adds to a staged book all that is made of records, measurements and the code itself."""
    lay_out_toy_networks(folder, scale)
    trainer_lab.lay_out(folder / "book", scales.scale_named(scale).toy())
    lay_out_rain_lab(folder, scale)
    lay_out_code_lab(folder, scale)
    lay_out_explorer(folder, scale)
    lay_out_front_page(folder, scale)
    blind.lay_out(folder / "book", manifest())
    provenance.lay_out(folder / "book", scales.scale_named(scale))
    architecture.lay_out(folder / "book")
    shutil.copy(project() / "benchmarks" / "results.md", folder / "book" / "speed_tables.txt")


def lay_out_toy_networks(folder: Path, scale: str) -> None:
    """Puts the trained toy networks where the live panel of the built page finds them.

    Those that have no record at this scale are left out; the panel then says so.
    """
    setting = scales.scale_named(scale)
    weights: dict[float, bytes] = {}
    for order in toy_evaluation.ORDERS:
        experiment = setting.toy(order)
        if setting.store.weights_path(experiment.name).exists():
            model = toy_task.trained(experiment, setting.store)
            weights[order] = toy.pack(model, {"order": order})
    toy.lay_out(weights, folder / "book" / "_static" / "toy")


def lay_out_rain_lab(folder: Path, scale: str) -> None:
    """Completes the rain lab's page, with its script, its pictures and the recorded networks."""
    setting, book = scales.scale_named(scale), folder / "book"
    rain_lab.lay_out(book, rain_lab.networks(setting), setting.coarse_counts)
    fill(book / "rain_lab.md", {rain_lab.MARK: rain_lab.panel()})


def lay_out_code_lab(folder: Path, scale: str) -> None:
    """Puts what the code lab loads where its page finds it, once a fine-tuned prior is recorded."""
    setting = scales.scale_named(scale)
    store, original, tuned = setting.store, setting.codebook(), setting.prior()
    if all(store.weights_path(one.name).exists() for one in (original, tuned)):
        after = restore.trained(tuned, store)
        assert isinstance(after, VQGAN)
        code_lab.lay_out(folder / "book", code_lab.pack(codebook.trained(original, store), after))


def lay_out_explorer(folder: Path, scale: str) -> None:
    """Completes the explorer's page, with its script and pictures, from the sweeps over N."""
    packed, book = explorer.pack(scales.scale_named(scale)), folder / "book"
    explorer.lay_out(book, packed)
    fill(book / "explorer.md", {explorer.MARK: explorer.panel(packed)})


def lay_out_front_page(folder: Path, scale: str) -> None:
    """Completes the staged front page: its pictures and counts come from the scale's records."""
    static = folder / "book" / "_static"
    shared = front_page.preview((static / "overview.webp").read_bytes())
    (static / "social.jpg").write_bytes(shared)
    front_page.lay_out(folder / "book", scales.scale_named(scale), chapters()[0].stem)
