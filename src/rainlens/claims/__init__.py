"""Every claim of the two papers, and what our records say about it.

A claim is judged by a small function on records: a statistic, its interval, and a rule. `papers`
has the claims, `rules` how one is decided, `evidence` the records as a judge asks for them; judges
are in `removal`, `pictures` and `toy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pandas as pd

from rainlens import estimates
from rainlens.claims.evidence import CATEGORIES, NETWORKS, SWEEPS, TOY_SEEDS, Evidence, Find
from rainlens.claims.papers import CLAIMS, Claim
from rainlens.claims.pictures import ALIKE, COMPLEXITY_ORDER, EARLIEST_STAGE, order_agreement
from rainlens.claims.rules import (
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    Finding,
)
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.tasks import Experiment

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
    "UNTESTED",
    "VERDICTS",
    "Claim",
    "Evidence",
    "Finding",
    "as_rows",
    "at_a_glance",
    "grid",
    "order_agreement",
    "table",
]

LONGEST_OPEN = 6  # items of a list that is not folded


def grid(setting: Scale) -> list[Experiment]:
    """All experiments that claims need, each once."""
    parts = [part for claim in CLAIMS for part in claim.needs(setting).values()]
    return list({experiment.name: experiment for part in parts for experiment in part}.values())


def table(setting: Scale, store: RecordStore | None = None) -> pd.DataFrame:
    """All claims at one scale, one a row, decided on the records of a store.

    store: that of the scale where it is None. Columns: `claim`, `says`, `where`, `paper`, `ours`,
    `trainings` (how many had converged), `verdict`, `by_rain` and `ours_by_rain` (verdict and
    effect by the rain response, of claims about removal, else empty), `records` (their names),
    `seeds` (how many, in words) and `chapter`.
    """
    find = cache((store or setting.store).load)
    return pd.DataFrame([_row(claim, claim.decide(setting, find), find) for claim in CLAIMS])


def _row(claim: Claim, finding: Finding, find: Find) -> dict[str, Any]:
    records = [record for record in map(find, finding.records) if record is not None]
    return {
        "claim": claim.id,
        "says": claim.text,
        "where": claim.where,
        "paper": claim.paper,
        "ours": finding.effect,
        "trainings": finding.trainings,
        "verdict": finding.verdict,
        "by_rain": finding.by_rain.verdict if finding.by_rain else "",
        "ours_by_rain": finding.by_rain.effect if finding.by_rain else "",
        "records": finding.records,
        "seeds": _seeds_of(records),
        "chapter": claim.chapter,
    }


def _seeds_of(records: Sequence[Record]) -> str:
    """With how many seeds each experiment was run: "2 seeds", or "1 to 2 seeds"."""
    seeds = [{record.experiment["seed"] for record in group} for group in estimates.alike(records)]
    counts = sorted(set(map(len, seeds)) or {0})
    least = f"{counts[0]} to " * (len(counts) > 1)
    return f"{least}{counts[-1]} seed{'s' * (counts[-1] != 1)}"


def as_rows(claims_table: pd.DataFrame, chosen: Sequence[str], by_rain: bool = False) -> str:
    """Some claims of `table`, by id, with verdict and effect: rows for a Markdown table.

    by_rain: in a third column the verdict by the rain response, a dash where it is not asked.
    """
    told = claims_table.set_index("claim").loc[list(chosen)]
    return "\n".join(
        f"| {row.says} | **{row.verdict}**: {row.ours} |"
        + f" {str(row.by_rain) or '-'} |" * by_rain
        for row in told.itertuples()
    )


def _listed(title: str, items: Sequence[str]) -> list[str]:
    """A list under its title, folded where it is long; nothing without items."""
    if not items:
        return []
    if len(items) <= LONGEST_OPEN:
        return [f"**{title}:**", "", *items, ""]
    summary = f"<details><summary><b>{title}: {len(items)} claims</b></summary>"
    return [summary, "", *items, "", "</details>", ""]


def at_a_glance(claims_table: pd.DataFrame) -> str:
    """The decided claims as Markdown, a list a verdict, long ones folded; how many are neither.

    And how many of the decided rest on trainings that had not all converged, and of how many the
    rain response says the same.
    """
    lines = []
    for verdict in (REPRODUCED, NOT_REPRODUCED):
        chosen = claims_table[claims_table["verdict"] == verdict]
        told = [f"- {row.says} ({row.where})" for row in chosen.itertuples()]
        lines += _listed(verdict.capitalize(), told)
    left, untested = ((claims_table["verdict"] == v).sum() for v in (UNDECIDED, UNTESTED))
    rest = [f"Of {len(claims_table)} claims: not decided {left}, not tested yet {untested}."]
    decided = claims_table[claims_table["verdict"].isin([REPRODUCED, NOT_REPRODUCED])]
    moving = int((decided["trainings"] != "").sum())
    if moving:
        whole = f"Of the {len(decided)} decided, {moving} rest on trainings that had not all"
        rest.append(f"{whole} converged.")
    removal = decided[decided["by_rain"] != ""]
    if len(removal):
        same = int((removal["by_rain"] == removal["verdict"]).sum())
        about = f"{len(removal)} are about removal, by the papers' measure; of these, the rain"
        rest.append(f"{about} response says the same of {same}.")
    return "\n".join([*lines, " ".join(rest)])
