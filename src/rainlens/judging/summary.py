"""What a judge's answers come to: win rate, position bias, validity, and a verdict or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rainlens import preferences
from rainlens.intervals import Estimate
from rainlens.judging.pairs import Pair, key_of, pixels, questions
from rainlens.judging.replies import Answer
from rainlens.preferences import Validity, WinRate

LEAST_ANSWERED = 0.5  # of the pairs, in both orders; below, there is no verdict


@dataclass(frozen=True)
class Summary:
    """What a judge said of all pairs.

    outcomes: how many questions had each outcome, "not asked" among them; failures: why. answered:
    pairs with a choice in both orders. first_chosen: the fraction of choices that fell on the
    picture shown first, 0.5 for a judge without bias. preference: how often a has less rain, over
    pairs without known truth; a choice that changes with the order is a tie. validity: from the
    pairs of known truth, where no choice is a wrong one; None without such pairs.
    """

    pairs: int
    answered: int
    outcomes: Counter[str]
    failures: Counter[str]
    first_chosen: Estimate
    preference: WinRate
    validity: Validity | None

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()))
        failures = ", ".join(f"{count} {why}" for why, count in sorted(self.failures.items()))
        return (
            f"{self.pairs} pairs, each asked in both orders: {counts}"
            + (f" ({failures})" if failures else "")
            + f".\nThe picture shown first was chosen in {self.first_chosen} of the answers."
            + f"\n{self.verdict}"
        )

    @property
    def verdict(self) -> str:
        """One sentence; without enough real answers, or from an invalid judge, no verdict."""
        if self.answered == 0 or self.answered < LEAST_ANSWERED * self.pairs:
            return (
                f"No verdict: {self.answered} of {self.pairs} pairs were answered in both orders."
            )
        if self.validity and not self.validity.passed:
            return (
                f"No verdict: right on {self.validity.accuracy} of {self.validity.pairs} known "
                f"pairs, and {preferences.LEAST_ACCURACY:.0%} are needed."
            )
        said = f"a wins {self.preference}"
        checked = "the judge is valid" if self.validity else "the judge's validity was not tested"
        if not self.preference.wins + self.preference.losses:
            return f"No verdict: no pair without known truth was decided; {checked}."
        low, high = self.preference.rate.low, self.preference.rate.high
        winner = (
            "a has less rain" if low > 0.5 else "b has less rain" if high < 0.5 else "undecided"
        )
        return f"{winner}: {said}; {checked}."


def summarise(pairs: Sequence[Pair], answers: Sequence[Answer], model: str) -> Summary:
    """What the model said of these pairs; answers about other pictures or words are left out."""
    by_key = {answer.key: answer for answer in answers}  # the last one of a question counts
    found = {
        (pair.name, first): by_key.get(key_of(pixels(pair, first), first, model))
        for pair, first in questions(pairs)
    }
    outcomes = Counter(answer.outcome if answer else "not asked" for answer in found.values())
    failures = Counter(answer.failed for answer in found.values() if answer and answer.failed)
    chosen = [(a.first, a.outcome) for a in found.values() if a and a.outcome in ("a", "b")]
    votes = {pair: [_vote(found[pair.name, first]) for first in "ab"] for pair in pairs}
    made = {pair: [vote for vote in v if vote is not None] for pair, v in votes.items()}
    decided = {pair: sum(v) / 2 for pair, v in made.items() if len(v) == 2}
    return Summary(
        pairs=len(pairs),
        answered=len(decided),
        outcomes=outcomes,
        failures=failures,
        first_chosen=preferences.wilson(sum(f == o for f, o in chosen), len(chosen)),
        preference=preferences.win_rate(np.array([p for k, p in decided.items() if not k.less])),
        validity=_validity({pair: decided.get(pair, 0.5) for pair in pairs if pair.less}),
    )


def _vote(answer: Answer | None) -> float | None:
    """P(a has less rain) of one answer: 1 or 0; None without a choice."""
    return {"a": 1.0, "b": 0.0}.get(answer.outcome) if answer else None


def _validity(known: dict[Pair, float]) -> Validity | None:
    if not known:
        return None
    rain = np.array([[pair.less != "a", pair.less != "b"] for pair in known], dtype=float)
    return preferences.validity(np.array(list(known.values())), rain[:, 0], rain[:, 1])
