"""The VQGAN (Esser, Rombach, Ommer 2021): pictures as a grid of codes from a learnt book.

The papers' second remedy fine-tunes its encoder and leaves book and decoder as they are, so that
the network can answer only with pictures that it knows (2026 paper, Sec. 6.2). Published
checkpoints load strictly: taming-transformers' ImageNet f16 and OpenImages f8, latent-diffusion's
vq-f4, f8, f8-n256 and f16. A, B, C and F are our own small ones, under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from rainlens.models.autoencoder import Decoder, Encoder, Shape
from rainlens.models.prior import Prior, Quantised
from rainlens.models.quantiser import EmaQuantiser, GumbelQuantiser, VectorQuantiser

FINE_TUNED = ("encoder", "quant_conv")  # what `prior.freeze` leaves free for fine-tuning
OWN = "quantize.usage."  # names of what the official code does not have


@dataclass(frozen=True)
class Config:
    """A VQGAN: its shape, its book of `codes` rows of `length` numbers, how that one is learnt.

    legacy: the form of the code-book loss, see `VectorQuantiser`. gumbel: codes are chosen by
    score, not by distance.
    """

    shape: Shape
    length: int
    codes: int
    legacy: bool = True
    gumbel: bool = False


def _own(shape: Shape) -> Config:
    return Config(shape, length=64, codes=1024, legacy=False)


_F16 = Shape(128, (1, 1, 2, 2, 4), 2, 256, attention=(16,))
_LDM_F8 = Shape(128, (1, 2, 2, 4), 2, 4, attention=(32,))

CONFIGS: dict[str, Config] = {
    # 32 channels in 32 groups would be one each: their mean, so brightness, would be lost.
    "A": _own(Shape(32, (1, 2, 4), 1, 64, groups=8)),
    "B": _own(Shape(64, (1, 2, 2), 1, 64)),
    "C": _own(Shape(64, (1, 1, 2), 1, 64)),
    "F": _own(Shape(32, (1, 2, 4, 4), 1, 64, groups=8)),
    "imagenet_f16_1024": Config(_F16, 256, 1024),
    "imagenet_f16_16384": Config(_F16, 256, 16384),
    "openimages_f8": Config(
        Shape(128, (1, 1, 2, 4), 2, 256, attention=(32,)), 256, 8192, gumbel=True
    ),
    "ldm_f4": Config(Shape(128, (1, 2, 4), 2, 3), 3, 8192),
    "ldm_f8": Config(_LDM_F8, 4, 16384),
    "ldm_f8_n256": Config(_LDM_F8, 4, 256),
    "ldm_f16": Config(Shape(128, (1, 1, 2, 2, 4), 2, 8, attention=(16,)), 8, 16384),
}


class VQGAN(Prior):
    """Rainy picture in, clean picture out: (N, 3, H, W) -> (N, 3, H, W), nominally [0, 1].

    config: a name in CONFIGS. quantised: False leaves the book out, and the latent goes to the
    decoder as it is. codes, groups, legacy: instead of the configuration's own. decay: above 0 the
    book is a moving average with that decay, not learnt by gradients. restart_after: unused codes
    start anew after so many steps; 0 never.

    Pictures of any size are mirrored up to a multiple of f and cropped. Raises ValueError for an
    unknown configuration, and for options that fit none of its books.
    """

    def __init__(
        self,
        config: str = "A",
        quantised: bool = True,
        codes: int | None = None,
        groups: int | None = None,
        legacy: bool | None = None,
        decay: float = 0.0,
        restart_after: int = 0,
    ) -> None:
        super().__init__()
        if config not in CONFIGS:
            raise ValueError(f"There is no VQGAN {config!r}; there are: {', '.join(CONFIGS)}.")
        chosen = CONFIGS[config]
        shape = replace(chosen.shape, groups=groups or chosen.shape.groups)
        self.factor = shape.factor
        self.encoder = Encoder(shape)
        self.quant_conv = nn.Conv2d(shape.latent, chosen.length, 1)
        if quantised:
            chosen = replace(
                chosen,
                codes=codes or chosen.codes,
                legacy=chosen.legacy if legacy is None else legacy,
            )
            self.quantize = _quantiser(chosen, decay, restart_after)
        self.post_quant_conv = nn.Conv2d(chosen.length, shape.latent, 1)
        self.decoder = Decoder(shape)

    def encode(self, picture: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], sides multiples of f -> latent (N, length, H/f, W/f)."""
        return self.quant_conv(self.encoder(picture * 2 - 1))

    def quantise(self, latent: Tensor) -> Quantised:
        """The latent on the code book, see `Quantised`; itself where there is no book."""
        if hasattr(self, "quantize"):
            return self.quantize(latent)
        return Quantised(latent, None, latent.new_zeros(()))

    def decode(self, values: Tensor) -> Tensor:
        """(N, length, h, w) -> picture (N, 3, f h, f w), nominally [0, 1], not clamped."""
        return (self.decoder(self.post_quant_conv(values)) + 1) / 2

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Takes over weights, all of them: names and shapes have to be the same.

        Two differences are no error: a model without a book passes over the book, and what a book
        keeps for its own learning (`quantize.usage`) may be in one of the two only. Raises
        ValueError that names what is missing, in excess, or of another shape.
        """
        mine = self.state_dict()
        own = {name for name in mine if name.startswith(OWN)}
        given = {name: value for name, value in state.items() if self._takes(name, mine)}
        if problem := _mismatch({n: v for n, v in mine.items() if n not in own}, given):
            raise ValueError(f"These are not the weights of this VQGAN: {problem}.")
        self.load_state_dict(given, strict=False)
        if own - set(given) and isinstance(self.quantize, VectorQuantiser):
            self.quantize.start_from_book()

    def _takes(self, name: str, mine: Mapping[str, Tensor]) -> bool:
        optional = OWN if hasattr(self, "quantize") else "quantize."
        return name in mine or not name.startswith(optional)


def _quantiser(config: Config, decay: float, restart_after: int) -> nn.Module:
    if config.gumbel:
        if decay or restart_after:
            raise ValueError("A Gumbel book takes neither decay nor restart_after: leave them 0.")
        return GumbelQuantiser(config.length, config.codes, config.length)
    if decay:
        return EmaQuantiser(config.codes, config.length, decay=decay, restart_after=restart_after)
    return VectorQuantiser(
        config.codes, config.length, legacy=config.legacy, restart_after=restart_after
    )


def _mismatch(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str | None:
    """What first keeps weights from being loaded, or None."""
    missing = sorted(set(expected) - set(given))
    if missing:
        return f"{len(missing)} of {len(expected)} are missing, such as {missing[0]}"
    extra = sorted(name for name in given if name not in expected and not name.startswith(OWN))
    if extra:
        return f"{len(extra)} are not of it, such as {extra[0]}"
    for name, value in expected.items():
        if value.shape != given[name].shape:
            return f"{name} is {tuple(given[name].shape)}, not {tuple(value.shape)}"
    return None
