"""The code lab: the decoder of the book's VQGAN at work in the reader's browser.

`code_lab.js` is what the reader sees, `code_worker.js` what computes. `pack` writes the decoder,
its code book and what two encoders make of one picture as one file; `panel` shows them in a
notebook, and where no kernel runs, as on a built page, the files that `lay_out` wrote.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import anywidget
import numpy as np
import torch
import traitlets
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from rainlens import images
from rainlens.degradations import STREAKS, named
from rainlens.models.quantiser import VectorQuantiser
from rainlens.models.vqgan import VQGAN
from rainlens.randomness import generator
from rainlens.widgets import rain_lab
from rainlens.widgets.bundling import bundled, classic, write_for_page

MODULE = Path(__file__).with_name("code_lab.js")
WORKER = MODULE.with_name("code_worker.js")
FOLDER = "_static/code_lab"  # below the book's pages
PAGE_FOLDER = f"../{FOLDER}"  # the same, as seen from a chapter's page
FILE = "prior.bin"  # no name that a server takes for a packed page, and unpacks
PLACE = '<div class="rl-lab rl-codes">'
NO_SCRIPT = (
    "The code lab appears here where scripts run; without them, the figures of this chapter show "
    "the same networks."
)
SIDE = 96  # pixels of the picture: 24 x 24 codes where f = 4
STEP = 8  # codes on each side of a grid must be a multiple of it
RAIN_SEED = 3
# Steps on each side of 0 of the numbers in a kernel, five bits, and in a latent, eight.
KERNEL_STEPS, LATENT_STEPS = 15, 127
BOOK = "quantize.embedding.weight"
DECODER = ("post_quant_conv.", "decoder.")


class Pair(NamedTuple):
    """The picture of the lab: clean and rainy, uint8 (1, 3, 96, 96)."""

    clean: Tensor
    rainy: Tensor


def pair() -> Pair:
    """scikit-image's cat, and under streaks that are the same every time."""
    files = {path.name: path for path in images.names(images.EMBEDDED, "test")}
    small = np.array(rain_lab.square(files[rain_lab.PICTURES["cat"]], SIDE))
    clean = torch.from_numpy(small).permute(2, 0, 1)[None].contiguous()
    source = generator(RAIN_SEED, "code lab", 0)
    rainy = named(STREAKS).apply(images.to_unit(clean), source)
    return Pair(clean, images.to_bytes(rainy))


def pack(as_it_was: VQGAN, fine_tuned: VQGAN) -> bytes:
    """Writes what the lab needs as one file, about 1.3 MB for the configuration A.

    It holds the decoder, its kernels as whole numbers from -15 to 15 with a scale for each output
    channel; the latents of the clean and of the rainy picture by either encoder, from -127 to 127
    with a scale for each channel; the code book in half precision; and the two pictures (`pair`).

    Args:
        as_it_was: the prior before fine-tuning.
        fine_tuned: the same with another encoder; book and decoder must be equal.

    Returns:
        A safetensors file, packed by gzip: see `unpack`.

    Raises:
        ValueError: if one has no book that is chosen by distance, the decoder has attention outside
            of its middle, its grid does not fit, or the two differ in more than the encoder.
    """
    state = _shared(as_it_was, fine_tuned)
    clean, rainy = pair()
    tensors = {"clean": clean[0], "rainy": rainy[0], BOOK: state.pop(BOOK).half()}
    for name, model, picture in (
        ("clean", as_it_was, clean),
        ("rainy", as_it_was, rainy),
        ("tuned_clean", fine_tuned, clean),
        ("tuned_rainy", fine_tuned, rainy),
    ):
        tensors |= _rounded(f"latent.{name}", _latent(model, picture), LATENT_STEPS)
    for name, value in state.items():
        tensors |= _rounded(name, value, KERNEL_STEPS) if value.ndim == 4 else {name: value}
    whole = {name: value.contiguous() for name, value in tensors.items()}
    data = save(whole, {"groups": str(as_it_was.decoder.norm_out.num_groups)})
    return gzip.compress(data, mtime=0)  # the same bytes every time


def unpack(data: bytes) -> dict[str, Tensor]:
    """What a file of `pack` holds, in float32, kernels and latents multiplied by their scales.

    Decoder and book have their names in `VQGAN.state_dict`; beside them are the latents
    `latent.clean`, `latent.rainy`, `latent.tuned_clean`, `latent.tuned_rainy` (C, h, w), and the
    pictures `clean` and `rainy` (3, H, W) in 0 to 255. Raises ValueError for other bytes.
    """
    try:
        tensors = {name: value.float() for name, value in load(gzip.decompress(data)).items()}
    except (OSError, EOFError, SafetensorError) as error:
        raise ValueError("The bytes are no file of the code lab: write one with pack().") from error
    for name in [name for name in tensors if _scale_of(name) in tensors]:
        scale = tensors.pop(_scale_of(name))
        tensors[name] *= scale.view(-1, *[1] * (tensors[name].ndim - 1))
    return tensors


class CodeLab(anywidget.AnyWidget):
    """The lab in Jupyter or Colab; the file travels to the browser as a binary buffer.

    Where no kernel runs, as on a built page, `static_panel` stands in for it.

    Args:
        data: what `pack` returned.

    Raises:
        ValueError: if it is no such file.
    """

    _esm = bundled(MODULE)

    data = traitlets.Bytes().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)

    def __init__(self, data: bytes) -> None:
        unpack(data)
        super().__init__(data=data, told=_told())

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        text = "[The code lab: this panel needs a browser that runs scripts.]"
        return {**data, "text/html": static_panel(), "text/plain": text}, metadata


def panel(as_it_was: VQGAN, fine_tuned: VQGAN) -> CodeLab:
    """The lab for a prior and the same after fine-tuning, to be shown by a notebook.

    Raises ValueError as `pack` does.
    """
    return CodeLab(pack(as_it_was, fine_tuned))


def static_panel() -> str:
    """The lab's place in a page without a kernel, as HTML; `lay_out` writes what it loads."""
    source = f"{PAGE_FOLDER}/code_lab.js"
    return f'{PLACE}<p>{NO_SCRIPT}</p></div>\n<script defer src="{source}"></script>'


def lay_out(folder: Path, data: bytes) -> None:
    """Writes the lab's script and its file, that one also as a script, for the built page.

    Args:
        folder: of the book's pages; everything lies in `FOLDER` below it.
        data: what `pack` returned.
    """
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    write_for_page(target, FILE, data)
    (target / "code_lab.js").write_text(script(), encoding="utf-8")


def script() -> str:
    """The classic script of a page: the lab, and what it is told."""
    return classic(MODULE, f"mountAll({json.dumps(_told())});")


def _told() -> dict[str, str]:
    return {
        "folder": PAGE_FOLDER,
        "file": FILE,
        "glossary": "../book/glossary.html",
        "worker": classic(WORKER),
    }


def _shared(as_it_was: VQGAN, fine_tuned: VQGAN) -> dict[str, Tensor]:
    """Decoder and book, in float32, which both must have."""
    ours, theirs = ({**m.state_dict()} for m in (as_it_was, fine_tuned))
    if not isinstance(getattr(as_it_was, "quantize", None), VectorQuantiser):
        raise ValueError("The prior has no code book whose rows are chosen by their distance.")
    if any(name.startswith("decoder.up.") and ".attn." in name for name in ours):
        raise ValueError("The lab's decoder has attention in its middle alone, and this one more.")
    if SIDE // as_it_was.factor % STEP:
        raise ValueError(f"A grid has {SIDE // as_it_was.factor} codes a side, no multiple of 8.")
    names = [name for name in ours if name == BOOK or name.startswith(DECODER)]
    for name in names:
        if name not in theirs or not torch.equal(ours[name], theirs[name]):
            raise ValueError(f"The two priors must share decoder and book, but {name} differs.")
    return {name: ours[name].detach().float().cpu() for name in names}


@torch.inference_mode()
def _latent(model: VQGAN, picture: Tensor) -> Tensor:
    """The latent (C, h, w) of a picture, uint8 (1, 3, H, W)."""
    device = next(model.parameters()).device
    return model.encode(images.to_unit(picture).to(device))[0].float().cpu()


def _rounded(name: str, values: Tensor, steps: int) -> dict[str, Tensor]:
    """A tensor (C, ...) as whole numbers from -steps to steps, and the scale (C,) of each row."""
    rows = values.flatten(1)
    scale = rows.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny) / steps
    whole = (rows / scale[:, None]).round().to(torch.int8)
    return {name: whole.view_as(values), _scale_of(name): scale}


def _scale_of(name: str) -> str:
    return f"{name.removesuffix('.weight')}.scale"
