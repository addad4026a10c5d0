"""Real rainy photographs, on the reader's machine alone: what networks make of them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from rainlens import evaluation, images

SET = "real_rain147"  # may not be passed on
FOUR = ("1.jpg", "50.jpg", "100.jpg", "147.jpg")  # fixed before any network saw one


def outputs(networks: Mapping[str, nn.Module]) -> list[tuple[Tensor, str]]:
    """Tiles: each of the four as it is, then every network's output and how much it changed.

    Empty where the photographs are not at hand.
    """
    tiles: list[tuple[Tensor, str]] = []
    for name in FOUR if images.is_available(SET) else ():
        picture = images.load(images.find_folder(SET) / name)
        tiles.append((picture, f"{name}, as it is"))
        for title, network in networks.items():
            output = evaluation.restore(network, [picture])[0]
            change = (output - images.to_unit(picture)).abs().mean().item() * 255
            tiles.append((output, f"{title}: changed by {change:.1f} grey levels"))
    return tiles
