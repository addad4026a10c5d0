"""Every claim of the two papers, and what our records say about it.

A claim is judged by a small function on records: a statistic, its interval, and a rule. `papers`
has the claims, `rules` how one is decided, `evidence` the records as a judge asks for them; judges
are in `removal`, `pictures` and `toy`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rainlens import complexity, rain, toy_evaluation
from rainlens.claims.evidence import CATEGORIES, NETWORKS, SWEEPS, TOY_SEEDS, Evidence
from rainlens.claims.papers import CLAIMS, Claim
from rainlens.claims.pictures import ALIKE, COMPLEXITY_ORDER, EARLIEST_STAGE, order_agreement
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED, VERDICTS, Finding
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.tasks import Experiment
from rainlens.tasks.survey import Survey

__all__ = [
    "ALIKE",
    "CATEGORIES",
    "CLAIMS",
    "COMPLEXITY_ORDER",
    "EARLIEST_STAGE",
    "NETWORKS",
    "NOT_REPRODUCED",
    "REPRODUCED",
    "SWEEPS",
    "TOY_SEEDS",
    "UNDECIDED",
    "VERDICTS",
    "Claim",
    "Evidence",
    "Finding",
    "at_a_glance",
    "grid",
    "order_agreement",
    "table",
]


def grid(setting: Scale) -> list[Experiment]:
    """All experiments that judges read, each once."""
    sweeps = [setting.sweep(degradation=name) for name in rain.RANGES]
    sweeps += [setting.sweep(True, model=model, backgrounds=name) for model, name in SWEEPS]
    sweeps += [setting.sweep(True, options=options) for options in setting.sizes.values()]
    sweeps.append(
        [
            setting.of_sharpness(kind, s)
            for s in setting.seeds
            for kind in complexity.SHARPNESS_CLASSES
        ]
    )
    wanted: list[Experiment] = [experiment for sweep in sweeps for experiment in sweep]
    wanted += [Survey(backgrounds=name) for name in CATEGORIES]
    wanted += [setting.toy(order, seed) for order in toy_evaluation.ORDERS for seed in TOY_SEEDS]
    return list({experiment.name: experiment for experiment in wanted}.values())


def table(setting: Scale, store: RecordStore | None = None) -> pd.DataFrame:
    """All claims at one scale: `claim`, `says`, `where`, `paper`, `ours`, `verdict`, `records`
    (their names), `seeds` (how many, in words), `chapter` and `tested` (whether it has a rule)."""
    loaded: dict[str, Record] = {}
    rows = []
    for claim in CLAIMS:
        finding = claim.decide(Evidence(setting, store or setting.store, loaded))
        said = dict(claim=claim.id, says=claim.text, where=claim.where, paper=claim.paper)
        found = dict(ours=finding.effect, verdict=finding.verdict, records=finding.records)
        seeds = _seeds_of([loaded[name] for name in finding.records])
        chapter = dict(chapter=claim.chapter, tested=claim.judge is not None)
        rows.append({**said, **found, "seeds": seeds, **chapter})
    return pd.DataFrame(rows)


def _seeds_of(records: Sequence[Record]) -> str:
    """With how many seeds each experiment was run: "2 seeds", or "1 to 2 seeds"."""
    runs: dict[str, set[int]] = {}
    for record in records:
        # Of some toy networks only the first seed keeps its weights.
        apart = ("seed", "keep_weights")
        fields = {name: value for name, value in record.experiment.items() if name not in apart}
        runs.setdefault(repr(fields), set()).add(record.experiment["seed"])
    counts = sorted({len(seeds) for seeds in runs.values()} or {0})
    least = f"{counts[0]} to " * (len(counts) > 1)
    return f"{least}{counts[-1]} seed{'s' * (counts[-1] != 1)}"


def at_a_glance(claims_table: pd.DataFrame) -> str:
    """The decided claims as Markdown, a list a verdict, and how many are open."""
    lines = []
    for verdict in (REPRODUCED, NOT_REPRODUCED):
        chosen = claims_table[claims_table["verdict"] == verdict]
        told = [f"- {row.says} ({row.where})" for row in chosen.itertuples()]
        lines += [f"**{verdict.capitalize()}:**", "", *told, ""] if told else []
    left = int((claims_table["verdict"] == UNDECIDED).sum())
    untested = int((~claims_table["tested"]).sum())
    rest = (
        f"{left} of {len(claims_table)} claims are not decided; {untested} of them are not tested"
    )
    return "\n".join([*lines, f"{rest} yet."])
