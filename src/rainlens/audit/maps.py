"""Maps of rain: where, around the kinds that networks are trained on, one stops working.

Each cell is rain of one angle and width, or of one length and density; what is drawn in it is the
share of the rain that leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from rainlens import images, rain
from rainlens.rain import RainRange
from rainlens.randomness import generator

CROP, PICTURES = 96, 2  # small, since there are many cells
DENSITY, WIDTH, LENGTH, ANGLE = 250, 5, 30, 0  # of what a map does not vary; the small range's


@dataclass(frozen=True)
class RainMap:
    """Two parameters of rain, varied against each other.

    name: in file names. title, rows, columns: what stands beside it. down, across: the values.
    """

    name: str
    title: str
    rows: str
    columns: str
    down: tuple[int, ...]
    across: tuple[int, ...]

    def cells(self) -> Iterator[tuple[str, RainRange]]:
        """The name of each cell and the rain in it, row by row."""
        for first in self.down:
            for second in self.across:
                yield f"{self.name}{first:+d}x{second}", self.rain(first, second)

    def rain(self, first: int, second: int) -> RainRange:
        """The rain of a cell: parameters without any range."""
        density, width, length, angle = DENSITY, WIDTH, LENGTH, ANGLE
        if self.name == "shape":
            angle, width = first, second
        else:
            length, density = first, second
        return RainRange(self.name, (density, density), (width,), (length, length), (angle, angle))


MAPS = (
    RainMap(
        "shape", "Angle and width of the streaks", "angle (degrees)", "width (pixels)",
        (-60, -30, 0, 30, 60), (1, 3, 5, 7, 9),
    ),
    RainMap(
        "amount", "Length and number of the streaks", "length (pixels)", "density",
        (5, 15, 30, 45, 60), (50, 100, 200, 300, 400),
    ),
)  # fmt: skip


def is_cell(name: str) -> bool:
    """Whether a kind of that name is a cell of a map."""
    return any(name == cell for one in MAPS for cell, _ in one.cells())


def rainy(clean: Sequence[Tensor], name: str, of: RainRange, seed: int) -> Iterator[Tensor]:
    """Pictures, uint8 (3, H, W), with the rain of a cell."""
    for number, picture in enumerate(clean):
        source = generator(seed, f"audit {name} {number}")
        height, width = picture.shape[-2:]
        layer = rain.synthesize(1, (height, width), of, source)
        yield images.to_bytes(rain.add_rain(images.to_unit(picture)[None], layer)[0])
