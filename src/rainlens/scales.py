"""How large the experiments of a book are: one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import rainlens
from rainlens import images, toy_evaluation
from rainlens.evaluation import TestSet
from rainlens.records import RecordStore
from rainlens.tasks.codebook import Codebook
from rainlens.tasks.fine_tune import ARMS, ENCODERS, FineTuned, Published, Unchanged
from rainlens.tasks.restore import Restore
from rainlens.tasks.toy import Toy
from rainlens.tasks.untrained import FILTERS, Untrained
from rainlens.tasks.usual_tests import with_usual_tests

# The papers' most patches: in a short training, a background hardly comes round twice.
ALL = 30_000
BALANCED = 256  # backgrounds of the balanced network
RECORDS_VARIABLE = "RAINLENS_RECORDS"
Options = Mapping[str, Any]
JUDGE: Options = dict(iterations=9000)  # with a third of them it fails its gate (chapter 12)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the experiments of a book are.

    options: task -> network -> its options; of "toy", "balance" and "semi", fields of experiments.
    seeds: repetitions. patch_counts: the values of N; more_counts: further ones by range of rain,
    for claims that name them; coarse_counts: those of sweeps over categories, networks and sizes,
    which would otherwise cost too much. lab_seed: of the ResNets with these counts whose weights
    are kept, to be tried out and audited. patch_size, iterations, learning_rate, warmup,
    measure_every: as in `Restore`. coarse: the fields in which coarse sweeps differ, where they are
    trained for less; coarse_seeds: their seeds. sharpness_count: N where classes of sharpness are
    compared. backgrounds: the pictures to train on. book: fields of the code book of our own VQGAN
    (`tasks.codebook`); product_codes: TAEF2's groups and codes; tuning: in which fields fine-tuning
    them differs from other trainings. test_crop: centre of test pictures that is scored, None for
    all of it. test_count: how many pictures.
    """

    name: str
    about: str
    options: Mapping[str, Mapping[str, Options]] = field(hash=False)
    patch_size: int
    iterations: int
    learning_rate: float
    seeds: tuple[int, ...]
    patch_counts: tuple[int, ...]
    coarse_counts: tuple[int, ...]
    coarse_seeds: tuple[int, ...]
    lab_seed: int
    more_counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    coarse: Options = field(default_factory=dict, hash=False)
    sharpness_count: int = 1024
    warmup: int | None = None
    backgrounds: str = "natural"
    book: Options = field(default_factory=dict, hash=False)
    product_codes: Options = field(default_factory=dict, hash=False)
    tuning: Options = field(default_factory=dict, hash=False)
    test_count: int = 100
    test_crop: int | None = None
    measure_every: int = 100

    @property
    def sizes(self) -> dict[str, tuple[tuple[str, int], ...]]:
        """Options of a smaller, the usual, and a larger ResNet (2023 paper, Fig. 11)."""
        usual = self.options["derain"]["resnet"]
        blocks, channels = usual["blocks"], usual["channels"]
        widths = channels // 2, channels, channels * 3 // 2
        return {f"{blocks}x{w}": (("blocks", blocks), ("channels", w)) for w in widths}

    @property
    def store(self) -> RecordStore:
        """Where records of this scale lie: `records/<scale>` of the project."""
        return RecordStore(records_folder() / self.name)

    def experiment(self, **changes: Any) -> Restore:
        """The restoration experiment of this scale with some fields changed.

        Test sets and curves follow the fields, and so do the options of the network, where they
        are not given.
        """
        if self._is_of_lab(changes):
            changes = dict(keep_weights=True, **changes)
        base = Restore(
            options=self._options(changes.get("model", "resnet")),
            backgrounds=self.backgrounds,
            patch_size=self.patch_size,
            iterations=self.iterations,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            measure_every=self.measure_every,
        )
        return with_usual_tests(
            replace(base, **changes),
            self.test_count,
            self.test_crop,
            tests="tests" not in changes,
            curves="curves" not in changes,
        )

    def of_lab(self, patches: int, degradation: str) -> Restore:
        """A network whose weights are kept: N of the coarse counts, any range of rain."""
        return self.experiment(patches=patches, degradation=degradation, seed=self.lab_seed)

    def balanced(self) -> Restore:
        """What the papers advise, with its weights: the large range, fewer backgrounds.

        Of the two numbers of backgrounds in Hu 2026, Table 3, the larger, or the nearest that is
        trained here.
        """
        trained = {*self.patch_counts, *self.more_counts.get("large", ())}
        count = min(sorted(trained), key=lambda n: abs(n - BALANCED))
        return self.experiment(
            patches=count, degradation="large", seed=self.lab_seed, keep_weights=True
        )

    def _is_of_lab(self, changes: Mapping[str, Any]) -> bool:
        """Whether an experiment is a usual one but for its rain, with the lab's seed and counts."""
        return (
            changes.keys() <= {"patches", "degradation", "seed"}
            and changes.get("seed") == self.lab_seed
            and changes.get("patches") in self.coarse_counts
        )

    def sweep(self, coarse: bool = False, **fields: Any) -> list[Restore]:
        """The experiments that differ in N and seed alone, ordered by N.

        coarse: only `coarse_counts`, trained as `coarse` says. Other networks are trained with the
        fewest and the most patches alone.
        """
        seeds = self.seeds
        more = self.more_counts.get(fields.get("degradation", "medium"), ())
        counts = tuple(sorted({*self.patch_counts, *more}))
        if coarse:
            counts, seeds = self.coarse_counts, self.coarse_seeds
            fields = {**self.coarse, **fields}
        if fields.get("model", "resnet") != "resnet":
            counts = (counts[0], counts[-1])
        return [self.experiment(patches=n, seed=s, **fields) for n in counts for s in seeds]

    def filters(self) -> dict[str, Untrained]:
        """What has learned nothing, by name, tested like networks of natural pictures."""
        tests = self.experiment().tests
        return {
            name: Untrained(model=model, options=options, tests=tests)
            for name, (model, options) in FILTERS.items()
        }

    def of_sharpness(self, kind: str, seed: int = 0) -> Restore:
        """SwinIR on patches of one sharpness class, trained for twice as long as others.

        A tenth and three tenths of the way, outputs are kept (2026 paper, Sec. 4.1.2, Fig. 6).
        """
        usual = self.experiment(**self.coarse)
        changes = dict(
            iterations=2 * usual.iterations,
            measure_every=2 * usual.measure_every,
            snapshots=(usual.iterations // 5, usual.iterations // 5 * 3),
        )
        fields: dict[str, Any] = {**self.coarse, **changes}
        return self.experiment(
            model="swinir", sharpness=kind, patches=self.sharpness_count, seed=seed, **fields
        )

    def codebook(self, seed: int = 0) -> Codebook:
        """The pre-training of our own VQGAN: photographs are given back through its code book.

        Looked at on pictures that nothing is ever trained on, those of Rain100L, without rain.
        """
        pictures = "rain100l" if self.backgrounds == "natural" else self.backgrounds
        few = TestSet("clean", "medium", pictures, min(16, self.test_count), 128)
        whole = TestSet("clean", "medium", pictures, self.test_count, self.test_crop)
        shown = TestSet("shown", "medium", images.EMBEDDED, 2, 192, keep=True)
        return Codebook(seed=seed, curves=(few,), tests=(whole, shown), **self.book)

    def prior(
        self, model: str = "vqgan", arm: str = "method", seed: int = 0, **changes: Any
    ) -> FineTuned:
        """A prior of pictures that learns to undo a degradation, in one of `fine_tune.ARMS`.

        model: "vqgan", our own, or "taef2", of others (its product codes come from trained weights,
        so from scratch it has none). The first seed of the papers' method keeps what it learned.
        """
        chosen = ARMS[arm]
        fields: dict[str, Any] = dict(
            options=self._prior_options(model, chosen.quantised),
            start=self._start(model) if chosen.pretrained else None,
            trained=ENCODERS[model] if chosen.frozen else (),
            backgrounds=self.backgrounds,
            patch_size=self.patch_size,
            patches=self.patch_counts[-1],
        )
        if (model, arm, seed, changes) == ("vqgan", "method", self.seeds[0], {}):
            fields["keep_weights"] = True
        base = FineTuned(model=model, seed=seed, **{**fields, **self.tuning})
        return with_usual_tests(replace(base, **changes), self.test_count, self.test_crop)

    def unchanged(self, model: str = "vqgan", quantised: bool = True) -> Unchanged:
        """A prior as it is before fine-tuning, tested like networks of natural pictures."""
        options = self._prior_options(model, quantised)
        tests = self.experiment().tests
        return Unchanged(model=model, options=options, start=self._start(model), tests=tests)

    def toy(self, order: int = 1, seed: int = 0, **changes: Any) -> Toy:
        """The toy experiment of this scale; the weights of the live panel's three are kept."""
        keep = order in toy_evaluation.ORDERS and seed == 0
        base = dict(self.options["toy"]["cnn1d"], order=order, seed=seed, keep_weights=keep)
        return Toy(**{**base, **changes})

    def _start(self, model: str) -> Codebook | Published:
        return self.codebook() if model == "vqgan" else Published()

    def _prior_options(self, model: str, quantised: bool) -> tuple[tuple[str, Any], ...]:
        if model == "vqgan":
            chosen = dict(self.codebook().options)
            return tuple({**chosen, **({} if quantised else dict(quantised=False))}.items())
        return tuple(self.product_codes.items()) if quantised else ()

    def _options(self, model: str) -> tuple[tuple[str, int], ...]:
        return tuple(self.options["derain"].get(model, {}).items())


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="smoke",
            about="seconds a chapter; shows that the code runs, not what is true",
            options={
                "derain": {
                    "resnet": dict(blocks=2, channels=8),
                    "unet": dict(width=8, depth=1),
                    "swinir": dict(img_size=32, embed_dim=8, groups=1, depth=2, num_heads=1),
                },
                "toy": {
                    "cnn1d": dict(iterations=24, channels=8, measure_every=12, warmup=4, draws=8)
                },
                "judge": {
                    "rain_judge": dict(
                        patches=64, patch_size=48, iterations=8, warmup=0, measure_every=4
                    )
                },
                "balance": {"all": dict(iterations=4, batch=2), "tests": dict(count=2, crop=64)},
            },
            patch_size=32,
            iterations=20,
            learning_rate=1e-3,
            seeds=(0,),
            patch_counts=(8, 64, 512),
            coarse_counts=(8, 512),
            coarse_seeds=(0,),
            lab_seed=1,
            sharpness_count=512,
            backgrounds=images.EMBEDDED,
            book=dict(
                options=(("config", "A"), ("codes", 64), ("restart_after", 2)),
                backgrounds=(images.EMBEDDED,),
                patches=64,
                patch_size=32,
                iterations=10,
                batch=4,
                warmup=0,
                measure_every=5,
            ),
            product_codes=dict(groups=8, codes=64),
            tuning=dict(iterations=4, batch=4, learning_rate=3e-4, measure_every=2),
            test_count=4,
            test_crop=192,
            measure_every=10,
        ),
        Scale(
            name="cpu",
            about="minutes an experiment on two processor cores; small networks",
            options={
                "derain": {
                    "resnet": dict(blocks=8, channels=32),
                    # These take about as long a step as the ResNet.
                    "unet": dict(width=24, depth=2),
                    "swinir": dict(img_size=64, embed_dim=32, groups=1, depth=2, num_heads=2),
                },
                "toy": {"cnn1d": dict(iterations=12_000)},
                "balance": {
                    "all": dict(iterations=1200, batch=4, measure_every=150),
                    "tests": dict(count=50),
                },
                "semi": {"all": dict(iterations=1000, batch=8, measure_every=125)},
                "judge": {"rain_judge": JUDGE},
            },
            patch_size=64,
            # Chapter 4, "How long is enough?", compares these two lengths of training.
            iterations=3000,
            learning_rate=2e-3,
            warmup=50,
            seeds=(0, 1, 2),
            patch_counts=(8, 64, 512, ALL),
            more_counts=dict(medium=(256,), large=(128, 256)),
            coarse_counts=(8, 64, 512),
            coarse=dict(iterations=1000, learning_rate=5e-4, warmup=None, measure_every=100),
            coarse_seeds=(0, 1),
            lab_seed=3,
            book=dict(iterations=6000),
            product_codes=dict(groups=8, codes=1024),
            tuning=dict(iterations=1500, learning_rate=1e-3, warmup=50, measure_every=125),
            measure_every=250,
        ),
        Scale(
            name="gpu",
            about="larger networks, meant for one data-centre GPU",
            options={
                "derain": {
                    "resnet": dict(blocks=16, channels=64),
                    "unet": dict(width=48, depth=3),
                    "swinir": dict(embed_dim=60, groups=4, depth=6, num_heads=6),
                },
                "toy": {"cnn1d": dict(iterations=40_000, measure_every=500)},
                "judge": {"rain_judge": JUDGE},
            },
            patch_size=128,
            iterations=4000,
            learning_rate=5e-4,
            seeds=(0, 1),
            patch_counts=(8, 16, 32, 64, 128, 256, 512, 1024),
            coarse_counts=(8, 32, 128, 512),
            coarse_seeds=(0, 1),
            lab_seed=3,
            book=dict(
                options=(("config", "B"), ("restart_after", 20)),
                patch_size=128,
                iterations=20_000,
            ),
            product_codes=dict(groups=8, codes=1024),
            tuning=dict(iterations=4000, learning_rate=3e-4, warmup=50, patches=ALL),
            measure_every=250,
        ),
        Scale(
            name="paper",
            about="the papers' settings, 250,000 iterations a network",
            options={
                "derain": {
                    "resnet": dict(blocks=16, channels=64),
                    "unet": dict(width=64, depth=4),
                    "swinir": {},
                },
                "toy": {"cnn1d": dict(iterations=100_000, measure_every=1000)},
                "judge": {"rain_judge": JUDGE},
            },
            patch_size=128,
            iterations=250_000,
            learning_rate=2e-4,
            seeds=(0, 1, 2),
            patch_counts=(8, 16, 32, 64, 128, 256, 512, 1024, ALL),
            coarse_counts=(8, 16, 32, 64, 128, 256, 512, 1024),
            coarse_seeds=(0, 1, 2),
            lab_seed=3,
            book=dict(
                options=(("config", "B"), ("restart_after", 20)),
                patch_size=128,
                iterations=100_000,
            ),
            product_codes=dict(groups=8, codes=1024),
            # The 2026 paper's 50 epochs of 10,000 pictures in batches of 14.
            tuning=dict(iterations=35_700, learning_rate=3e-4, warmup=50, batch=14),
            sharpness_count=ALL,
            measure_every=5000,
        ),
    )
}


def scale_named(name: str) -> Scale:
    """The scale of that name. Raises ValueError naming those there are."""
    if name not in SCALES:
        raise ValueError(f"There is no scale {name!r}; there are: {', '.join(SCALES)}.")
    return SCALES[name]


def flag(value: object, name: str = "recompute") -> bool:
    """A parameter of a chapter that is true or false, as it is.

    Raises ValueError for anything else: papermill hands the words false, no and off over as text,
    and any text counts as true.
    """
    if isinstance(value, bool):
        return value
    raise ValueError(f"{name} is {value!r}, but it must be True or False, written like this.")


def records_folder() -> Path:
    """`RAINLENS_RECORDS`, or `records/` of the checkout that the package is imported from."""
    named = os.environ.get(RECORDS_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    return Path(rainlens.__file__).resolve().parents[2] / "records"
