"""SwinIR for tasks that keep the size (Liang et al. 2021): attention in shifted windows.

Parameter names and shapes are those of the official code, so that its checkpoints for denoising
and deraining load with `strict=True`. The default has the size of its large denoising network.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rainlens.models.unet import mirror_to_multiple

MEAN = (0.4488, 0.4371, 0.4040)  # of RGB; subtracted from the input, added to the output
HEAD_MULTIPLE = 8  # CUDA's fused kernels want the width of a head in steps of 16 bytes
MOST_BLOCKS = 65_535  # of CUDA's grid in its second and third dimension


class SwinIR(nn.Module):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    groups: residual groups; depth: transformer layers in each; embed_dim: channels; num_heads:
    attention heads; window_size: side of the windows; mlp_ratio: width of the MLP over embed_dim.
    img_size: the size whose shift mask a checkpoint holds (128 in the official ones); pictures of
    any size are accepted, mirrored up to a multiple of the window. shortcut: whether the result is
    added to the input picture, as the official network for denoising does.

    Raises ValueError if num_heads does not divide embed_dim, or img_size is no multiple of
    window_size.
    """

    mean: Tensor

    def __init__(
        self,
        img_size: int = 128,
        window_size: int = 8,
        embed_dim: int = 180,
        groups: int = 6,
        depth: int = 6,
        num_heads: int = 6,
        mlp_ratio: int = 2,
        shortcut: bool = True,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"num_heads is {num_heads}, which does not divide {embed_dim}.")
        if img_size % window_size:
            raise ValueError(f"img_size is {img_size}, no multiple of the window, {window_size}.")
        self.window_size = window_size
        self.shortcut = shortcut
        # No part of a checkpoint, but on the network's device: a step copies nothing to it.
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.conv_first = nn.Conv2d(3, embed_dim, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(embed_dim)})
        self.layers = nn.ModuleList(
            Group(img_size, window_size, embed_dim, depth, num_heads, mlp_ratio)
            for _ in range(groups)
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.conv_after_body = nn.Conv2d(embed_dim, embed_dim, 3, padding=1)
        self.conv_last = nn.Conv2d(embed_dim, 3, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, rainy: Tensor) -> Tensor:
        height, width = rainy.shape[-2:]
        centred = mirror_to_multiple(rainy, self.window_size) - self.mean
        shallow = self.conv_first(centred)  # (N, C, H, W)
        x = self.patch_embed["norm"](shallow.permute(0, 2, 3, 1))  # (N, H, W, C)
        for group in self.layers:
            x = group(x)
        deep = self.conv_after_body(self.norm(x).permute(0, 3, 1, 2)) + shallow
        # The picture leaves in float32: bfloat16 has steps of one grey level near white.
        with torch.autocast(rainy.device.type, enabled=False):
            out = self.conv_last(deep.float())
            if self.shortcut:
                out = centred.float() + out
        return (out + self.mean)[..., :height, :width]


class Group(nn.Module):
    """Residual Swin Transformer Block: layers, a convolution, and a shortcut around both."""

    def __init__(
        self, img_size: int, window: int, channels: int, depth: int, heads: int, mlp_ratio: int
    ) -> None:
        super().__init__()
        layers = (
            Layer(img_size, window, channels, heads, mlp_ratio, shifted=bool(index % 2))
            for index in range(depth)
        )
        self.residual_group = nn.ModuleDict({"blocks": nn.ModuleList(layers)})
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        inner = x  # (N, H, W, C)
        for layer in self.residual_group["blocks"].children():
            inner = layer(inner)
        return x + self.conv(inner.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Layer(nn.Module):
    """Window attention and an MLP, each after a LayerNorm and with a shortcut around it.

    In every second layer the windows are shifted by half their side, so that neighbours meet.
    """

    attn_mask: Tensor | None

    def __init__(
        self, img_size: int, window: int, channels: int, heads: int, mlp_ratio: int, shifted: bool
    ) -> None:
        super().__init__()
        # One window holds the whole picture: there is nothing to shift.
        self.shift = window // 2 if shifted and img_size > window else 0
        self.window = window
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, window, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, mlp_ratio * channels)
        # A copy: loading a checkpoint writes into it, and the cached one is everybody's.
        mask = shift_mask(img_size, img_size, window, self.shift).clone() if self.shift else None
        self.register_buffer("attn_mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        moved = self.norm1(x)
        if self.shift:
            moved = moved.roll((-self.shift, -self.shift), dims=(1, 2))
        moved = self.attn(to_windows(moved, self.window), self._mask(height, width, x.device))
        moved = from_windows(moved, self.window, height, width)
        if self.shift:
            moved = moved.roll((self.shift, self.shift), dims=(1, 2))
        x = x + moved
        return x + self.mlp(self.norm2(x))

    def _mask(self, height: int, width: int, device: torch.device) -> Tensor | None:
        if self.attn_mask is None:
            return None
        windows = (height // self.window) * (width // self.window)
        if height == width and windows == len(self.attn_mask):
            return self.attn_mask
        return shift_mask(height, width, self.window, self.shift, device)


class WindowAttention(nn.Module):
    """Multi-head self-attention in windows, with a learned bias for each relative position."""

    relative_position_index: Tensor

    def __init__(self, channels: int, window: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        table = torch.zeros((2 * window - 1) ** 2, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        self.register_buffer("relative_position_index", relative_positions(window))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        count, pixels, channels = x.shape  # count = N * windows
        parts = self.qkv(x).view(count, pixels, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (count, heads, pixels, C/heads)
        bias = self._bias(mask)
        pictures, heads = count // len(bias), len(bias) * self.heads
        fused = pays_to_fuse(x.is_cuda, torch.is_grad_enabled(), pictures, heads)
        out = (attend_fused if fused else attend)(query, key, value, bias)
        return self.proj(out.transpose(1, 2).reshape(count, pixels, channels))

    def _bias(self, mask: Tensor | None) -> Tensor:
        """What is added to the scores: (windows, heads, pixels, pixels); 1 window if all agree."""
        pixels = len(self.relative_position_index)
        bias = self.relative_position_bias_table[self.relative_position_index.flatten()]
        bias = bias.view(pixels, pixels, self.heads).permute(2, 0, 1)[None]
        return bias if mask is None else bias + mask[:, None]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """softmax(query key^T / sqrt(d) + bias) value, written out.

    query, key, value: (N * windows, heads, pixels, d), and so is the result; bias: (windows,
    heads, pixels, pixels), the same for each of the N pictures.
    """
    score = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    shape = score.shape
    score = score.view(-1, *bias.shape) + bias.to(score.dtype)
    return score.softmax(-1).view(shape) @ value


def attend_fused(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """`attend` in one kernel of PyTorch's, which never writes the scores to memory."""
    windows, heads, pixels, _ = bias.shape
    width = query.shape[-1]

    def laid_out(part: Tensor) -> Tensor:
        # Windows stand beside heads, so that the bias need not be repeated for each picture.
        part = part.reshape(-1, windows * heads, pixels, width)
        # Zeros add nothing to a product of queries and keys, nor to the values that are kept.
        return F.pad(part, (0, -width % HEAD_MULTIPLE))

    out = F.scaled_dot_product_attention(
        laid_out(query),
        laid_out(key),
        laid_out(value),
        attn_mask=bias.reshape(1, windows * heads, pixels, pixels).to(query.dtype),
        scale=width**-0.5,
    )
    return out[..., :width].reshape(query.shape)


def pays_to_fuse(on_cuda: bool, learns: bool, pictures: int, heads: int) -> bool:
    """Whether to take `attend_fused`, for so many pictures with windows * heads heads.

    On a processor it was two to four times as fast where nothing learns, and up to three times as
    slow in training: PyTorch has no fused kernel there for a bias that learns. On CUDA it has, and
    it is taken wherever its grid of blocks, pictures by heads, is not too large.
    """
    if not on_cuda:
        return not learns
    return max(pictures, heads) <= MOST_BLOCKS


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


def to_windows(x: Tensor, side: int) -> Tensor:
    """(N, H, W, C) -> (N * windows, side * side, C), windows row by row."""
    count, height, width, channels = x.shape
    x = x.view(count, height // side, side, width // side, side, channels)
    return x.transpose(2, 3).reshape(-1, side * side, channels)


def from_windows(windows: Tensor, side: int, height: int, width: int) -> Tensor:
    """The inverse of `to_windows`: (N * windows, side * side, C) -> (N, H, W, C)."""
    channels = windows.shape[-1]
    x = windows.view(-1, height // side, width // side, side, side, channels)
    return x.transpose(2, 3).reshape(-1, height, width, channels)


def relative_positions(side: int) -> Tensor:
    """For each pair of pixels of a window, the row of the bias table, (side^2, side^2)."""
    at = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    apart = at[:, None] - at[None] + side - 1  # both 0 to 2 side - 2
    return apart[..., 0] * (2 * side - 1) + apart[..., 1]


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # a mask first needed in a test must serve training, too
def shift_mask(
    height: int, width: int, side: int, shift: int, device: torch.device | str = "cpu"
) -> Tensor:
    """What shifted windows must not see: (windows, side^2, side^2), 0 or -100, on the device.

    Rolling the picture brings pixels of opposite borders into one window; they are no neighbours.
    The tensor is remembered for the next call: do not change it.
    """

    def strips(size: int) -> Tensor:
        """0, 1, 2: the body, the rest of the last window, and what was rolled in."""
        at = torch.arange(size)
        return (at >= size - side).long() + (at >= size - shift).long()

    regions = 3 * strips(height)[:, None] + strips(width)[None]
    regions = to_windows(regions[None, :, :, None], side)[..., 0]  # (windows, side^2)
    return torch.where(regions[:, :, None] == regions[:, None], 0.0, -100.0).to(device)
