"""Tables of chapter 9: the paper's numbers beside ours, and what to hold both against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rainlens import estimates, intervals
from rainlens.claims.balancing import Row
from rainlens.claims.rules import REJECTION
from rainlens.intervals import Estimate
from rainlens.records import Record

Cell = tuple[str, Row]  # a network, and a row as the paper prints it
Found = Mapping[Cell, Sequence[Record]]

# Hu 2026, Table 3: E_R, E_B and PSNR in dB, as printed; what it leaves blank is not here.
PAPER: Mapping[Cell, tuple[float, float, float]] = {
    ("resnet", Row(30_000, "medium")): (31.24, 10.79, 25.15),
    ("resnet", Row(64, "medium")): (53.33, 25.02, 20.87),
    ("resnet", Row(256, "large")): (45.64, 16.51, 24.30),
    ("resnet", Row(128, "large")): (51.75, 23.53, 21.45),
    ("spdnet", Row(30_000, "medium")): (33.63, 5.49, 30.51),
    ("spdnet", Row(512, "large")): (39.88, 8.91, 28.57),
    ("spdnet", Row(256, "large")): (38.87, 8.03, 29.40),
    ("spdnet", Row(128, "large")): (43.20, 14.59, 25.67),
    ("rcdnet", Row(30_000, "medium")): (26.55, 5.41, 28.54),
    ("rcdnet", Row(64, "medium")): (45.47, 14.78, 25.32),
    ("rcdnet", Row(512, "large")): (37.53, 7.16, 29.60),
    ("rcdnet", Row(256, "large")): (40.40, 8.52, 29.08),
    ("rcdnet", Row(128, "large")): (44.67, 13.72, 26.09),
}
BLANK = "–"  # in the paper's table
MEASURES = (("e_r", 1), ("e_b", 1), ("psnr", 1))  # of the paper, with our digits


def table(network: str, title: str, rows: Mapping[Row, Row], found: Found) -> str:
    """One network's part of the table as Markdown: the paper's numbers beside ours.

    rows: as printed -> as trained here. found: the records of each cell, one a seed; a cell
    without any stays empty, and a blank of the paper is a dash. Ours have 95 % intervals from two
    seeds on. Without any record of ours the table is folded.
    """
    heads = [f"{name}, {whose}" for name in ("E_R", "E_B") for whose in ("paper", "ours")]
    heads.append("PSNR, both")
    lines = [f"| {title} | {' | '.join(heads)} | rejection |", "|---" * (len(heads) + 2) + "|"]
    for printed, row in rows.items():
        name = f"{printed}" if printed == row else f"{printed} (here {row.patches:,})"
        records = found.get((network, printed), ())
        theirs = [f"{value:.2f}" for value in PAPER.get((network, printed), ())] or [BLANK] * 3
        ours = [_told(records, measure, digits) for measure, digits in MEASURES]
        pairs = zip(theirs[:2], ours[:2], strict=True)
        # The last column of a wide table is cut off, so PSNR has one for both.
        both = [*(text for pair in pairs for text in pair), f"{theirs[2]} / {ours[2]}"]
        lines.append(f"| {name} | {' | '.join(both)} | {_told(records, REJECTION, 2)} |")
    text = "\n".join(lines)
    if any(found.get((network, printed)) for printed in rows):
        return text
    summary = f"<summary>{title}: the paper's numbers, ours are not computed yet</summary>"
    return f"<details>{summary}\n\n{text}\n\n</details>"


def _told(records: Sequence[Record], measure: str, digits: int) -> str:
    if not records:
        return ""
    estimate = estimates.mean(records, "unseen", measure)
    # PSNR has no room for its interval.
    whole = measure != "psnr" and np.isfinite(estimate.width)
    return estimate.text(digits) if whole else f"{estimate.value:.{digits}f}"


def table_of_marks(filters: Mapping[str, Record], tested: Record) -> str:
    """What has learned nothing, as Markdown, to hold the table against.

    filters: by name, "untouched" among them; of the others, those that keep out most rain, that
    have the best PSNR, and that do the least damage. tested: of a network on the same pictures.
    """
    lines = ["| | E_R | E_B | PSNR | rejection |", "|---|---|---|---|---|"]
    exact = estimates.mean([tested], "unseen", "exact_e_r").value
    lines.append(f"| exact removal | {exact:.1f} | 0.0 | ∞ | 1.00 |")
    for name in ("untouched", *best_filters(filters)):
        told = [_told([filters[name]], m, d) for m, d in (*MEASURES, (REJECTION, 2))]
        lines.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(lines)


def best_filters(filters: Mapping[str, Record]) -> list[str]:
    """Of what has learned nothing: most rain kept out, best PSNR, least damage; each once."""
    touched = {name: [record] for name, record in filters.items() if name != "untouched"}
    ranked = [(REJECTION, 1), ("psnr", 1), ("e_b", -1)]
    return list(dict.fromkeys(
        max(touched, key=lambda n: sign * estimates.mean(touched[n], "unseen", measure).value)
        for measure, sign in ranked
    ))  # fmt: skip


def missing(titles: Mapping[str, str], rows: Iterable[Row], found: Found) -> str:
    """Which rows of which networks have no record, in words; empty where all have some."""
    rows, told = list(rows), []
    for network, title in titles.items():
        lacking = [f"{row}" for row in rows if not found.get((network, row))]
        which = "all rows" if len(lacking) == len(rows) else ", ".join(lacking)
        told += [f"{title} ({which})"] * bool(lacking)
    return ", ".join(told)


def steps(titles: Mapping[str, str], found: Found) -> str:
    """From the first row to the advised one in two steps, as Markdown: the range, then fewer.

    Of networks that have all three rows, the change in rain kept out and in E_B, and in words what
    their intervals say (`estimates.direction`).
    """
    ends = Row(30_000, "medium"), Row(30_000, "large"), Row(128, "large")
    lines = ["| | step | rejection | E_B | |", "|---|---|---|---|---|"]
    for network, title in titles.items():
        first, wide, last = (list(found.get((network, row), ())) for row in ends)
        if not (first and wide and last):
            continue
        for name, after, before in (("the range alone", wide, first), ("then 128", last, wide)):
            changes = [estimates.difference(after, before, "unseen", m) for m in (REJECTION, "e_b")]
            told = [change.text(digits) for change, digits in zip(changes, (2, 1), strict=True)]
            lines.append(f"| {title} | {name} | {told[0]} | {told[1]} | {_in_words(*changes)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _in_words(removed: Estimate, harmed: Estimate) -> str:
    if not np.isfinite(removed.width):
        return "one seed decides nothing"
    more = estimates.direction(removed, "more removal", "less removal", "removal undecided")
    harm = estimates.direction(harmed, "more damage", "less damage", "damage undecided")
    return f"{more}, {harm}"


def table_at_equal_damage(titles: Mapping[str, str], rows: Iterable[Row], found: Found) -> str:
    """By how much more contrast of the rain a row removes than the first, as Markdown.

    Both are read at the moment of training at which they may do the same damage
    (`estimates.at_equal_damage`). titles: network -> what it is called.
    """
    first, *others = rows
    lines = [
        f"| against {first} | {' | '.join(titles.values())} |",
        "|---" * (len(titles) + 1) + "|",
    ]
    for row in others:
        cells = []
        for network in titles:
            ours, theirs = (found.get((network, one), ()) for one in (row, first))
            more = estimates.at_equal_damage(ours, theirs) if ours and theirs else None
            cells.append("" if more is None else _finite(more))
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _finite(estimate: Estimate) -> str:
    return estimate.text() if np.isfinite(estimate.value) else "never as gentle"


def tint_effect(record: Record) -> tuple[Estimate, Estimate, Estimate]:
    """Rain kept out of grey rain, of tinted rain, and the change, of one network.

    The intervals are over pictures alone.
    """
    grey, tinted = (
        estimates.per_image([record], test, REJECTION)[0] for test in ("grey", "tinted")
    )
    both = ~np.isnan(grey) & ~np.isnan(tinted)
    each = grey[both], tinted[both], (tinted - grey)[both]
    first, second, change = (intervals.mean_of(values) for values in each)
    return first, second, change
