"""What a restoration network is tested on, unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from rainlens import images
from rainlens.degradations import STREAKS
from rainlens.evaluation import TestSet

if TYPE_CHECKING:
    from rainlens.tasks.restore import Restore

    Kind = TypeVar("Kind", bound=Restore)

UNSEEN = {"denoise": "salt_and_pepper", "deblur": "motion_blur"}
SHOWN = ("comics", "faces")  # categories whose pictures may be shown to everyone


def with_usual_tests(
    experiment: Kind, count: int, crop: int | None, tests: bool = True, curves: bool = True
) -> Kind:
    """The experiment with the test sets and curves that follow from its other fields.

    count: how many pictures; crop: centre of the pictures that is scored, None for all of it.
    """
    return replace(
        experiment,
        tests=_usual_tests(experiment, count, crop) if tests else experiment.tests,
        curves=_usual_curves(experiment, count) if curves else experiment.curves,
    )


def _pictures(experiment: Restore) -> str:
    """Test backgrounds: the same category, other pictures (2026 paper, Sec. 4.1.1)."""
    return "rain100l" if experiment.backgrounds == "natural" else experiment.backgrounds


def _unseen(experiment: Restore) -> str:
    """What the network meets and has not been trained on (2026 paper, Sec. 3.1, 6.2)."""
    if experiment.task == "derain":
        return STREAKS if experiment.backgrounds == images.EMBEDDED else "rain100l"
    return UNSEEN.get(experiment.task, experiment.degradation)


def _unseen_shown(experiment: Restore) -> str:
    """The same on pictures that may be shown, which layers of real test sets do not fit."""
    return STREAKS if experiment.task == "derain" else _unseen(experiment)


def _usual_tests(experiment: Restore, count: int, crop: int | None) -> tuple[TestSet, ...]:
    if experiment.own_patches:
        return _like_patches(experiment, count)
    pictures, unseen = _pictures(experiment), _unseen(experiment)
    whole: dict[str, Any] = dict(backgrounds=pictures, count=count, crop=crop)
    part: dict[str, Any] = dict(backgrounds=pictures, count=min(50, count), crop=192)
    shown: dict[str, Any] = dict(backgrounds=_shown(experiment), count=2, crop=192, keep=True)
    # Only the natural test pictures are as large as the layers of Rain100.
    natural = pictures in ("rain100l", images.EMBEDDED)
    found = [
        TestSet("unseen", unseen, **(whole if natural else part)),
        TestSet("seen", experiment.degradation, **part),
        TestSet("shown_unseen", _unseen_shown(experiment), **shown),
        TestSet("shown_seen", experiment.degradation, **shown),
    ]
    if unseen == "rain100l":
        found.insert(1, TestSet("heavy", "rain100h", **part))
    if not natural:
        found.append(TestSet("transfer", unseen, **{**whole, "backgrounds": "rain100l"}))
    return tuple(found)


def _like_patches(experiment: Restore, count: int) -> tuple[TestSet, ...]:
    """New pictures as large as training patches, so that both can be compared."""
    alike: dict[str, Any] = dict(backgrounds=_pictures(experiment), crop=experiment.patch_size)
    count = min(64, count)
    found = [
        TestSet("unseen", _unseen(experiment), count=count, **alike),
        TestSet("streaks", _unseen_shown(experiment), count=count, **alike),
        TestSet("seen", experiment.degradation, count=count, **alike),
    ]
    if _shown(experiment) == experiment.backgrounds:
        shown = _unseen_shown(experiment)
        found.append(TestSet("shown_unseen", shown, count=4, keep=True, **alike))
    return tuple(found)


def _shown(experiment: Restore) -> str:
    """Pictures whose outputs are kept: only those that may be shown to everyone."""
    category = experiment.backgrounds
    return category if category in SHOWN else images.EMBEDDED


def _usual_curves(experiment: Restore, count: int) -> tuple[TestSet, ...]:
    if experiment.own_patches:
        return ()
    few: dict[str, Any] = dict(backgrounds=_pictures(experiment), count=min(16, count), crop=128)
    return (
        TestSet("unseen", _unseen(experiment), **few),
        TestSet("seen", experiment.degradation, **few),
    )
