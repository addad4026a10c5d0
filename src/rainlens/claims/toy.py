"""Judges of claims about the toy task."""

from __future__ import annotations

import numpy as np

from rainlens import estimates, signals, toy_evaluation
from rainlens.claims.evidence import Evidence
from rainlens.claims.rules import (
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Finding,
    all_below,
    all_of,
)
from rainlens.records import Record


def toy_content(evidence: Evidence) -> Finding:
    """The answers of O = 1 to other curves: nearer to its training curve than to the truth."""
    records = evidence.records("order1")
    x = np.linspace(-signals.LIMIT, signals.LIMIT, toy_evaluation.POINTS)
    own = signals.AMPLITUDE * np.cos(np.pi * x / 10)
    verdicts, distances = [], []
    for test in ("order4", "order8", "order4_shifted", "order8_shifted"):
        outputs = [np.array(record.tests[test]["output"]) for record in records]
        mine = [float(np.square(output - own).mean()) for output in outputs]
        truth = [estimates.per_image([record], test, "mse").mean().item() for record in records]
        verdicts.append(all_below(mine, truth))
        distances += mine
    shifted = estimates.mean(records, "order1_shifted", "mse")
    return Finding(
        all_of(verdicts),
        f"nearer to its own curve, in all seeds, in {verdicts.count(REPRODUCED)} of "
        f"{len(verdicts)} foreign tests, at most {max(distances):.1f} from it; MSE under N(10, 5) "
        f"{shifted}",
    )


def toy_noise(evidence: Evidence) -> Finding:
    """The matched MSE rises with O; under N(10, 5) O = 8 is worse than O = 1."""
    cases = [(evidence.records(name), name) for name in evidence.parts]
    slow, fast = ((evidence.records(name), f"{name}_shifted") for name in ("order1", "order8"))
    steps = [*zip(cases, cases[1:], strict=False), (slow, fast)]
    matched = ", ".join(
        f"{estimates.mean(*case, 'mse').text(4)} (O = {order})"
        for order, case in zip(toy_evaluation.ORDERS, cases, strict=True)
    )
    first, last = (estimates.mean(*case, "mse") for case in (slow, fast))
    return Finding(
        all_of([_rises(*step) for step in steps]),
        f"matched MSE {matched}; under N(10, 5) {first} (O = 1) and {last} (O = 8)",
    )


def _rises(low: tuple[list[Record], str], high: tuple[list[Record], str]) -> str:
    """Whether the MSE of the second (records, test) lies above: intervals apart, in each seed."""
    a, b = (estimates.mean(*case, "mse") for case in (low, high))
    by_seed = [estimates.per_image(*case, "mse").mean(axis=1) for case in (low, high)]
    apart = {REPRODUCED: a.high < b.low, NOT_REPRODUCED: a.low > b.high}
    verdict = all_below(*by_seed)
    return verdict if apart.get(verdict) else UNDECIDED
