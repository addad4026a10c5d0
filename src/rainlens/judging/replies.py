"""What a judge replied: kept word for word, one JSON object a line, and read without guessing."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from rainlens.judging.pairs import JudgingError

_SHORT = re.compile(
    r"(?:(?:the |my )?(?:final )?answer(?: is)?:? )?(?:image |picture )?([ab])", re.I
)
_PROSE = re.compile(
    r"(?:the )?(?:image|picture) ([ab]) (?:clearly )?(?:has|shows|contains) "
    r"(?:the )?(?:less|least|fewer|fewest) (?!.*\b(?:but|however|more)\b).*",
    re.I,
)
_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|as an ai|unable to|"
    r"(?:can(?:no|')t|can not|not able to|won't|will not) (?:\w+ )?"
    r"(?:help|assist|answer|compare|judge|view|see|process|analy[sz]e|comply|determine))\b",
    re.I,
)


@dataclass(frozen=True)
class Answer:
    """What came of one question; a line of the file.

    first: which picture was shown as Image A, "a" or "b". key: of the pictures, the question, the
    model and the order. reply: the judge's words; refused: the server said so itself. failed: why
    there is no reply ("time-out", "HTTP 500", ...), else empty.
    """

    pair: str
    first: str
    key: str
    model: str
    endpoint: str
    seconds: float
    reply: str = ""
    refused: bool = False
    failed: str = ""

    @property
    def outcome(self) -> str:
        """The picture chosen, "a" or "b"; or "refused", "unparsable", "failed"."""
        if self.failed:
            return "failed"
        letter = None if self.refused else read_letter(self.reply)
        if letter is None:
            return "refused" if self.refused or is_refusal(self.reply) else "unparsable"
        second = "b" if self.first == "a" else "a"
        return self.first if letter == "A" else second


def read_letter(reply: str) -> str | None:
    """A or B where the reply says so in one way only, else None.

    Read are a letter that stands alone, with or without "Image" or "Answer:" before it, whatever
    is said beside it; else sentences like "Image A shows less rain than image B". What a model
    thinks aloud within <think> is left out. A reply that would have to be understood is not read:
    it counts as unparsable.
    """
    reply = re.sub(r"<think>.*?</think>", "", reply, flags=re.DOTALL)
    sentences = [re.sub(r"[^\w':]+", " ", s).strip() for s in re.split(r"[\n.;!?]", reply)]
    short = {match[1].upper() for s in sentences if (match := _SHORT.fullmatch(s))}
    if short:
        return short.pop() if len(short) == 1 else None
    prose = [_PROSE.fullmatch(sentence) for sentence in sentences]
    letters = {match[1].upper() for match in prose if match}
    rest = " ".join(s for s, match in zip(sentences, prose, strict=True) if not match)
    if len(letters) != 1 or re.search(r"\b(?:image|picture) [ab]\b", rest, re.I):
        return None
    return letters.pop()


def is_refusal(reply: str) -> bool:
    """Whether the reply declines to judge, in words that models use for it."""
    return bool(_REFUSAL.search(reply.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def read_answers(file: Path) -> list[Answer]:
    """All answers of the file in their order; none where it is not there.

    A last line that an interruption tore is set aside as `<file>.torn`. Raises JudgingError where
    another line is damaged.
    """
    if not file.is_file():
        return []
    _mend(file)
    answers = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            answers.append(Answer(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise JudgingError(
                f"{file} is damaged in line {number}; take that line out, or name another file."
            ) from error
    return answers


def _mend(file: Path) -> None:
    """Make the file end with a whole line, and keep what is cut off."""
    data = file.read_bytes()
    whole = data.rfind(b"\n") + 1
    torn = data[whole:]
    if not torn:
        return
    try:
        Answer(**json.loads(torn))
    except (ValueError, TypeError):
        with file.with_name(f"{file.name}.torn").open("ab") as aside:
            aside.write(torn + b"\n")
        os.truncate(file, whole)
    else:
        with file.open("ab") as out:  # only the end of the line was lost
            out.write(b"\n")
