"""The five-layer network of the toy task (paper section 5.1)."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = 5
PADDINGS = ("zeros", "replicate")
SCALE = 10.0


class Cnn1d(nn.Module):
    """Five 1-D convolutions with Leaky ReLU between them, for points (x, y) on a line.

    The paper says "a five-layer CNN with roughly 400k parameters and Leaky ReLU" (section 5.1)
    and no more. Kernel 7 and 136 channels are our reading: with C channels and kernel K the
    count is 3 C (C K + 1) + 2 C K + C + 2 C K + 2, which is 392,770 for C = 136, K = 7.

    Args:
        channels: width C of the four hidden layers.
        kernel: length K of every filter in points; odd. The network sees 5 (K - 1) + 1 points.
        slope: slope of the Leaky ReLU for negative values.
        padding: what stands beyond both ends, "zeros" or "replicate" (the end point repeated).
        scale: x and y are divided by this on the way in and multiplied on the way out. The
            default, 10, makes both fill [-1, 1], as pictures do in [0, 1]; 1 leaves them alone.

    Raises:
        ValueError: if `kernel` is even or below 1, `padding` is not one of the two, or `scale`
            is not above 0.
    """

    def __init__(
        self,
        channels: int = 136,
        kernel: int = 7,
        slope: float = 0.01,
        padding: str = "zeros",
        scale: float = SCALE,
    ) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, but it must be odd to keep the length: try 7.")
        if padding not in PADDINGS:
            raise ValueError(f"padding is {padding!r}: choose one of {', '.join(PADDINGS)}.")
        if scale <= 0:
            raise ValueError(f"scale is {scale}, but points are divided by it: give 10, or 1.")
        self.slope = slope
        self.padding = padding
        self.scale = scale
        widths = [2, *[channels] * (LAYERS - 1), 2]
        self.layers = nn.ModuleList(
            nn.Conv1d(before, after, kernel)
            for before, after in zip(widths, widths[1:], strict=False)
        )

    def forward(self, points: Tensor) -> Tensor:
        """Denoise points.

        Args:
            points: (N, 2, P), float32; channel 0 is x in [-10, 10], channel 1 the noisy y.

        Returns:
            (N, 2, P), float32: the network's x and y.
        """
        # A height of 1 turns the line into a picture, whose channels-last layout is faster.
        out = (points / self.scale)[:, :, None].contiguous(memory_format=torch.channels_last)
        # bfloat16 keeps 8 bits: x = 9.97 and x = 9.99 would be one number. The outer layers
        # therefore stay in float32 even under autocast; they hold 1 % of the parameters.
        first, *hidden, last = cast("list[nn.Conv1d]", self.layers)
        with torch.autocast(points.device.type, enabled=False):
            out = self._activated(first, out)
        for layer in hidden:
            out = self._activated(layer, out)
        with torch.autocast(points.device.type, enabled=False):
            return self._convolve(last, out.float())[:, :, 0] * self.scale

    def _activated(self, layer: nn.Conv1d, values: Tensor) -> Tensor:
        return F.leaky_relu(self._convolve(layer, values), self.slope, inplace=True)

    def _convolve(self, layer: nn.Conv1d, values: Tensor) -> Tensor:
        margin = layer.kernel_size[0] // 2
        weight = layer.weight[:, :, None]
        if self.padding == "zeros":
            return F.conv2d(values, weight, layer.bias, padding=(0, margin))
        return F.conv2d(F.pad(values, (margin, margin, 0, 0), "replicate"), weight, layer.bias)
