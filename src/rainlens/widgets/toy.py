"""The live part of the toy task: real networks that denoise in the reader's browser.

`toy.js` holds the panel. `pack` writes a trained network as a small weight file, `ToyWidget`
shows the panel in a notebook with a kernel, `static_panel` shows it on a page without one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from IPython.display import HTML
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from rainlens.escaping import escaped
from rainlens.models.cnn1d import Cnn1d
from rainlens.signals import TRAINING_NOISE
from rainlens.widgets import bundling

MODULE = Path(__file__).with_name("toy.js")
PAGE_FOLDER = "../_static/toy"  # of the weight files, as seen from a chapter's page
KERNEL = 7
HALF_LIMIT = torch.finfo(torch.float16).max

NO_SCRIPT = (
    "This panel needs JavaScript, which is switched off; the figures above and below it show the "
    "same networks."
)
NO_MODULE = (
    "The live panel could not be loaded from this page; the figures above and below it show the "
    "same networks."
)

# The book's theme lays a light plate under every HTML output in its dark mode.
NO_PLATE = (
    '<style>html[data-theme="dark"] .bd-content div.cell_output .text_html.text_html:has(.rl-toy)'
    " { padding: 0; background: none; }</style>"
)


def pack(model: Cnn1d, metadata: Mapping[str, Any]) -> bytes:
    """Write a toy network as a safetensors file that `toy.js` reads, about 0.8 MB.

    The three wide layers are stored in half precision; the outer layers and all biases, 1 % of
    the parameters, in single precision. The network's scale is multiplied into the outer layers.

    Args:
        model: a trained network with kernel 7.
        metadata: `order` is required, the order O of the training signal. `noise_mean` and
            `noise_std` say what noise it was trained on (default 0 and 1). Anything else is kept.

    Returns:
        The file's bytes.

    Raises:
        ValueError: if `order` is missing, the kernel is not 7, or a weight does not fit into
            half precision.
    """
    if "order" not in metadata:
        raise ValueError("metadata has no 'order': give the order O of the training signal.")
    header = {
        "noise_mean": TRAINING_NOISE.mean,
        "noise_std": TRAINING_NOISE.spread,
        **metadata,
        "slope": model.slope,
        "padding": model.padding,
    }
    tensors: dict[str, Tensor] = {}
    state = {name: value.cpu().float() for name, value in model.state_dict().items()}
    for index in range(len(model.layers)):
        weight, bias = state[f"layers.{index}.weight"], state[f"layers.{index}.bias"]
        if weight.shape[-1] != KERNEL:
            raise ValueError(f"kernel is {weight.shape[-1]}: toy.js reads kernels of {KERNEL}.")
        if index == 0:
            weight = weight / model.scale
        elif index == len(model.layers) - 1:
            weight, bias = weight * model.scale, bias * model.scale
        else:
            weight = _half(weight, index)
        tensors |= {f"conv{index}.weight": weight, f"conv{index}.bias": bias}
    return save_tensors(tensors, {key: _text(value) for key, value in header.items()})


def unpack(data: bytes) -> tuple[Cnn1d, dict[str, str]]:
    """Read a weight file back: the network that the browser runs, and the file's metadata.

    Args:
        data: what `pack` returned.

    Returns:
        The network, with the rounded weights in float32 and scale 1, and the metadata as text.

    Raises:
        ValueError: if the bytes are no such file.
    """
    tensors, metadata = _read(data)
    channels, _, kernel = tensors["conv0.weight"].shape
    slope, padding = float(metadata["slope"]), metadata["padding"]
    model = Cnn1d(channels, kernel, slope=slope, padding=padding, scale=1.0)
    weights = {f"layers.{name.removeprefix('conv')}": t.float() for name, t in tensors.items()}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError("The weight file's layers are not those of a toy network.") from error
    return model.eval(), metadata


def as_script(data: bytes, name: str) -> str:
    """The same weights as a classic script, for pages that are opened as files.

    Browsers forbid such pages to fetch a file, but let them load a script. Save the text beside
    the weight file under `name` + ".js"; on a page from a server nobody asks for it.

    Args:
        data: what `pack` returned.
        name: the weight file's name, such as "toy_o1.safetensors".
    """
    _read(data)
    return bundling.as_script(data, name, "rainlensToyWeights")


class ToyWidget(anywidget.AnyWidget):
    """The panel in Jupyter or Colab; the weights travel to the browser as binary buffers.

    The settings are traits that follow the reader's hand and can be set from Python:
    `network` (order it was trained on), `order` (0.5 to 12, of the signal shown), `noise_mean`
    (-15 to 15), `noise_std` (0 to 8) and `seed` of the noise.

    Where no kernel runs, as on a built page, `static_panel` stands in for it; it reads the files
    that `lay_out` wrote.

    Args:
        weights: weight files by order, `{1: pack(...), 4: ..., 8: ...}`.

    Raises:
        ValueError: if `weights` is empty or holds bytes that are no weight file.
        traitlets.TraitError: if a setting is outside its range.
    """

    _esm = bundling.bundled(MODULE)

    weights = traitlets.Dict().tag(sync=True)
    points = traitlets.Int(128, min=16, max=1024).tag(sync=True)
    network = traitlets.Float().tag(sync=True)
    order = traitlets.Float(1.0, min=0.5, max=12.0).tag(sync=True)
    noise_mean = traitlets.Float(0.0, min=-15.0, max=15.0).tag(sync=True)
    noise_std = traitlets.Float(1.0, min=0.0, max=8.0).tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)

    def __init__(self, weights: Mapping[float, bytes], **settings: Any) -> None:
        if not weights:
            raise ValueError("weights is empty: give at least one weight file, {1: pack(...)}.")
        for data in weights.values():
            _read(data)
        settings.setdefault("network", float(min(weights)))
        named = {f"{order:g}": data for order, data in weights.items()}
        super().__init__(weights=named, **settings)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        urls = {float(order): f"{PAGE_FOLDER}/{_file(order)}" for order in self.weights}
        text = "[The toy networks, live: this panel needs a browser that runs scripts.]"
        return {**data, "text/html": static_panel(urls).data, "text/plain": text}, metadata

    @traitlets.validate("network")
    def _known_network(self, proposal: dict[str, Any]) -> float:
        order: float = proposal["value"]
        if f"{order:g}" not in self.weights:
            known = ", ".join(self.weights)
            raise traitlets.TraitError(f"network is {order:g}: weights were given for {known}.")
        return order


def lay_out(weights: Mapping[float, bytes], folder: Path) -> list[Path]:
    """Write weight files for the static panel, each also as a script (see `as_script`).

    Args:
        weights: weight files by order, as for `ToyWidget`.
        folder: where the page finds them as `PAGE_FOLDER`.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for order, data in weights.items():
        path = folder / _file(order)
        path.write_bytes(data)
        script = path.with_name(path.name + ".js")
        script.write_text(as_script(data, path.name), encoding="utf-8")
        written += [path, script]
    return written


def _file(order: float | str) -> str:
    return f"toy_o{float(order):g}.safetensors"


def static_panel(weights_urls: Mapping[float, str], module_url: str | None = None) -> HTML:
    """The panel for a page without a kernel: a container and a module script.

    Without `module_url` the module's text stands in the page, which works wherever modules do,
    also on a page opened as a file: browsers run a module that stands in such a page, but
    refuse to load one. With `module_url` the page stays small and loads the module.

    Args:
        weights_urls: weight files by order, `{1: "../_static/toy/toy_o1.safetensors", ...}`,
            as seen from the page. They load when the panel comes into view.
        module_url: where toy.js lies as seen from the page, or None to embed it.

    Raises:
        ValueError: if `weights_urls` is empty.
    """
    if not weights_urls:
        raise ValueError("weights_urls is empty: give at least one URL, {1: '../_static/...'}.")
    named = " ".join(
        f'data-weights-{order:g}="{escaped(url)}"' for order, url in weights_urls.items()
    )
    script = panel_script() if module_url is None else _imported(module_url)
    return HTML(
        f"{NO_PLATE}\n"
        f'<div class="rl-toy" {named}><noscript><p>{escaped(NO_SCRIPT)}</p></noscript></div>\n'
        f'<script type="module">\n{script}\n</script>'
    )


_WAITING = 'document.querySelectorAll(".rl-toy:not(.rl-toy-live)")'


def panel_script() -> str:
    """The script that stands in a page with the panel: the module, and a call for each panel."""
    return f"{bundling.bundled(MODULE)}\nfor (const element of {_WAITING}) mount(element);"


def _imported(url: str) -> str:
    return (
        f"import({json.dumps(url)}).then(\n"
        f"  ({{ mount }}) => {{ for (const element of {_WAITING}) mount(element); }},\n"
        f"  () => {{ for (const element of {_WAITING})"
        f" element.textContent = {json.dumps(NO_MODULE)}; }},\n"
        ");"
    ).replace("</", "<\\/")


def _half(weight: Tensor, index: int) -> Tensor:
    if not weight.abs().max() <= HALF_LIMIT:
        raise ValueError(f"Layer {index} has a weight beyond half precision: train it again.")
    return weight.half()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and metadata of a weight file; a ValueError if it is none."""
    try:
        tensors = load_tensors(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError("The bytes are no toy weight file: write one with pack().") from error
    missing = {"order", "slope", "padding"} - set(metadata)
    if missing or "conv0.weight" not in tensors:
        raise ValueError("The weight file lacks its header: write it again with pack().")
    return tensors, metadata
