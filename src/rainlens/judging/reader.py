"""A reader's own verdicts on the blind pairs, and how often each measure agrees with them.

The page "You be the judge" saves them as a JSON file, and comes to the same numbers in the browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rainlens import preferences
from rainlens.data import printable
from rainlens.intervals import Estimate
from rainlens.judging.blind import BlindPair, Manifest, Measure
from rainlens.judging.pairs import JudgingError

FORMAT = 1
QUESTIONS = ("less", "keep")  # which picture shows less rain, which one would you keep
NEITHER = "neither"  # the reader cannot tell
CHOICES = ("a", "b", NEITHER)
MOST_BYTES, MOST_ANSWERS = 1_000_000, 1000
_NAME, _DIGEST = re.compile(r"[a-z0-9]{1,20}"), re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Verdict:
    """What the reader said of one pair.

    first: the picture on the left, "a" or "b". less: which shows less rain; keep: which one they
    would keep; "a", "b" or "neither".
    """

    pair: str
    first: str
    less: str
    keep: str


@dataclass(frozen=True)
class Verdicts:
    """All answers of one reader, in the order they were given.

    pairs: the digest of the manifest. seed: of the order and the sides, which the browser drew.
    """

    pairs: str
    seed: int
    answers: tuple[Verdict, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row a pair: pair, first, less, keep."""
        return pd.DataFrame(self.answers, columns=["pair", "first", *QUESTIONS])


@dataclass(frozen=True)
class Share:
    """So many of so many, with the 95 % Wilson interval of the fraction."""

    count: int
    of: int

    @property
    def fraction(self) -> Estimate:
        """count / of, 0 to 1; nan where there is nothing to count."""
        return preferences.wilson(self.count, self.of)

    def __str__(self) -> str:
        return f"{self.count} of {self.of}: {self.fraction}" if self.of else "no pair"


@dataclass(frozen=True)
class Agreement:
    """How often each measure points to the picture that the reader chose.

    less, keep: measure -> of the pairs that both the reader and the measure decided. differed: of
    the pairs in which the reader answered both questions, how often with two different pictures.
    left: of all choices, those of the picture on the left; half of them for a reader without bias.
    """

    less: dict[str, Share]
    keep: dict[str, Share]
    differed: Share
    left: Share
    labels: dict[str, str]

    @property
    def table(self) -> pd.DataFrame:
        """One row a measure."""
        rows = [
            (self.labels[name], *map(str, (self.less[name], self.keep[name]))) for name in self.less
        ]
        return pd.DataFrame(rows, columns=["measure", "less rain", "keep"])


def agreement(verdicts: Verdicts, manifest: Manifest) -> Agreement:
    """The reader's agreement with every measure of the manifest.

    Raises JudgingError where the verdicts are of other pairs.
    """
    pairs = {pair.name: pair for pair in manifest.pairs}
    if verdicts.pairs != manifest.digest or any(v.pair not in pairs for v in verdicts.answers):
        raise JudgingError(
            "These verdicts are of other pairs than the manifest's; judge the pairs of the page "
            "that was built from the same records."
        )
    both = [(v.less, v.keep) for v in verdicts.answers if NEITHER not in (v.less, v.keep)]
    chosen = [(c, v.first) for v in verdicts.answers for c in (v.less, v.keep) if c != NEITHER]

    def shares(answer: Callable[[Verdict], str]) -> dict[str, Share]:
        return {
            name: _same((answer(v), _choice(name, m, pairs[v.pair])) for v in verdicts.answers)
            for name, m in manifest.measures.items()
        }

    return Agreement(
        less=shares(lambda verdict: verdict.less),
        keep=shares(lambda verdict: verdict.keep),
        differed=Share(sum(less != keep for less, keep in both), len(both)),
        left=Share(sum(choice == first for choice, first in chosen), len(chosen)),
        labels={name: measure.label for name, measure in manifest.measures.items()},
    )


def _choice(name: str, measure: Measure, pair: BlindPair) -> str | None:
    return measure.choice(pair.a.values[name], pair.b.values[name])


def _same(choices: Iterable[tuple[str, str | None]]) -> Share:
    """Of those pairs of choices in which both are made, how often they are the same."""
    made = [(ours, theirs) for ours, theirs in choices if ours != NEITHER and theirs is not None]
    return Share(sum(ours == theirs for ours, theirs in made), len(made))


def read_verdicts(path: str | Path) -> Verdicts:
    """The verdicts in a file that the page saved.

    Raises JudgingError, naming the file and what to do, where it is not there or no such file.
    """
    path = Path(path)
    try:
        if not path.is_file():  # a pipe or a device might never end
            raise _Unfit("is no file")
        if path.stat().st_size > MOST_BYTES:
            raise _Unfit("is too large")
        return _verdicts(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise JudgingError(_sentence(path, f"cannot be read ({error.strerror})")) from error
    except _Unfit as error:
        raise JudgingError(_sentence(path, str(error))) from error
    except (ValueError, RecursionError) as error:
        raise JudgingError(_sentence(path, "is no JSON")) from error


class _Unfit(ValueError):
    """What is wrong with a file of verdicts, as the end of a sentence."""


def _sentence(path: Path, wrong: str) -> str:
    return (
        f"{printable(path)} {wrong}; save your answers again on the page "
        '"You be the judge", and give that file.'
    )


def _verdicts(body: Any) -> Verdicts:
    _require(isinstance(body, dict), "holds no verdicts")
    _require(body.get("format") == FORMAT, f"is not of format {FORMAT}")
    _require(_fits(_DIGEST, body.get("pairs")), "does not say of which pairs it is")
    seed, answers = body.get("seed"), body.get("answers")
    _require(type(seed) is int and 0 <= seed < 2**32, "has no seed from 0 to 4294967295")
    _require(isinstance(answers, list) and len(answers) <= MOST_ANSWERS, "has no list of answers")
    found = tuple(_verdict(answer, place) for place, answer in enumerate(answers, 1))
    _require(len({v.pair for v in found}) == len(found), "answers a pair twice")
    return Verdicts(body["pairs"], seed, found)


def _verdict(answer: Any, place: int) -> Verdict:
    wrong = f"has an answer {place} that is none"
    _require(isinstance(answer, dict) and set(answer) == {"pair", "first", *QUESTIONS}, wrong)
    _require(_fits(_NAME, answer["pair"]) and answer["first"] in ("a", "b"), wrong)
    _require(all(answer[question] in CHOICES for question in QUESTIONS), wrong)
    return Verdict(**answer)


def _require(holds: bool, wrong: str) -> None:
    if not holds:
        raise _Unfit(wrong)


def _fits(form: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and form.fullmatch(text) is not None
