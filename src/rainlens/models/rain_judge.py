"""A judge of rain: it looks at two pictures and says which has less (2026 paper, Fig. 7 and 20).

The paper fine-tunes a large vision-language model for this. Ours is a small siamese network: it
gives each picture a score, alone, and the difference of two scores says how sure it is. Order
cannot matter, and no picture can be preferred in a circle.

It maps pictures to numbers, not to pictures, so it is no entry of `models.MODELS`, whose networks
restore. It is trained to see rain and nothing else, so it says nothing of damage to the picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (32, 64, 64, 64)


class RainJudge(nn.Module):
    """A score for each picture, more for more rain: (N, 3, H, W) in [0, 1] -> (N,) float32.

    Four 3x3 convolutions of stride 2, the mean of their features over the picture, and a linear
    layer: each feature sees 31 pixels across, and pictures of any size from 16x16 can be judged.
    channels: their widths; the default has 93,313 parameters.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1)
            for before, after in pairwise((3, *channels))
        )
        self.head = nn.Linear(channels[-1], 1)

    def forward(self, pictures: Tensor) -> Tensor:
        features = pictures - 0.5
        for layer in self.layers:
            features = F.relu(layer(features))  # (N, C, H / 2, W / 2), then half of that, ...
        # The score leaves in float32: pairs differ by less than bfloat16 can say.
        with torch.autocast(pictures.device.type, enabled=False):
            return self.head(features.float().mean((2, 3)))[:, 0]  # (N,)

    def has_less_rain(self, first: Tensor, second: Tensor) -> Tensor:
        """P(the first picture has less rain), sigmoid(s(second) - s(first)); (N,) float64.

        first, second: (N, 3, H, W) in [0, 1]. Swapping them gives 1 - P by construction.
        """
        return (self(second).double() - self(first).double()).sigmoid()


def comparison_loss(judge: RainJudge, less: Tensor, more: Tensor) -> Tensor:
    """-log P(less has less rain), its mean over pairs (N, 3, H, W): Bradley, Terry 1952; scalar.

    0.69 for a judge that cannot tell, and for pairs that do not differ.
    """
    return F.softplus(judge(less) - judge(more)).mean()
