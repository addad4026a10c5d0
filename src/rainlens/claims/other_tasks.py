"""Judges of claims about noise and blur: does a prior of pictures help there, too?

What chapter 11 compares is stated here as well. The rules were fixed before any network was
trained on noise or blur.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rainlens import estimates, intervals
from rainlens.claims.evidence import Evidence, Parts
from rainlens.claims.quality import PICTURES
from rainlens.claims.rules import Finding, above_zero, all_of
from rainlens.quality import MEASURES
from rainlens.records import Record
from rainlens.scales import Scale
from rainlens.tasks.appraise import Appraised
from rainlens.tasks.fine_tune import FineTuned
from rainlens.tasks.restore import Restore
from rainlens.tasks.untrained import Untrained

UNSEEN = "unseen"
# What networks are trained on (2026 paper, Sec. 6.2); what they meet: `usual_tests.UNSEEN`.
TASKS = {"denoise": "gauss30", "deblur": "blur"}
QUALITY = ("psnr", "ssim", "lpips_style")  # those of Hu 2026, Fig. 23, as far as they can be had
OTHERS = {"UNet": "unet", "SwinIR": "swinir"}
# The cheap classical answer to each.
CLASSICAL: Mapping[str, tuple[str, str, tuple[tuple[str, int], ...]]] = {
    "denoise": ("median 3", "median", (("size", 3),)),
    "deblur": ("Wiener", "wiener", (("size", 7),)),
}


# --- what is compared


def priors(setting: Scale, task: str) -> list[FineTuned]:
    """Our VQGAN, fine-tuned by the papers' method, one a seed.

    task: "denoise" or "deblur", here and below.
    """
    return [setting.prior(degradation=TASKS[task], seed=seed) for seed in setting.seeds]


def resnets(setting: Scale, task: str) -> list[Restore]:
    """The usual network on as many backgrounds, one a seed."""
    return [_network(setting, task, seed=seed) for seed in setting.seeds]


def learners(setting: Scale, task: str) -> dict[str, list[Restore]]:
    """All that is trained, by name; of UNet and SwinIR there is one seed each.

    ResNet, UNet and SwinIR are trained for as many iterations as a scale's networks usually are.
    """
    others = {
        name: [_network(setting, task, model=model, seed=setting.seeds[0])]
        for name, model in OTHERS.items()
    }
    return {"ResNet": resnets(setting, task), **others, "VQGAN": [*priors(setting, task)]}


def filters(setting: Scale, task: str) -> dict[str, Untrained]:
    """The untouched input and the cheap classical answer, by name."""
    tests = _network(setting, task).tests
    name, model, options = CLASSICAL[task]
    return {
        "untouched": Untrained(model="copy", tests=tests),
        name: Untrained(model=model, options=options, tests=tests),
    }


def appraisals(setting: Scale, task: str) -> dict[str, Appraised]:
    """The measures of quality of all that is compared on what is unseen, by name: the first seeds.

    The LPIPS-style distance among them, which is slow: on fewer pictures. Networks need their
    trained weights, as this machine kept them.
    """
    trained = {name: dict(of=part[0]) for name, part in learners(setting, task).items()}
    cheap = {
        name: dict(model=f.model, options=f.options) for name, f in filters(setting, task).items()
    }
    test = _network(setting, task).test(UNSEEN)
    test = replace(test, count=min(PICTURES, test.count))
    found: dict[str, dict[str, Any]] = {**trained, **cheap}
    return {
        name: Appraised(title=name, test=test, measures=QUALITY, **told)
        for name, told in found.items()
    }


def counts(setting: Scale) -> list[Restore]:
    """Does N matter to noise as it does to rain? The ResNet's coarse sweep, on noise."""
    return setting.sweep(True, degradation=TASKS["denoise"])


def rainy_counts(setting: Scale) -> list[Restore]:
    """The same sweep on rain, which other chapters need as well."""
    return setting.sweep(True)


def _network(setting: Scale, task: str, **fields: Any) -> Restore:
    most = setting.patch_counts[-1]
    return setting.experiment(patches=most, degradation=TASKS[task], **fields)


# --- what records say

Found = Mapping[str, Sequence[Record]]  # name -> records, one a seed
Columns = dict[str, dict[str, np.ndarray]]  # measure -> name -> values, (seeds, pictures)


def scores(found: Found, appraised: Mapping[str, Record]) -> Columns:
    """The measures of quality on what is unseen, of all that is recorded.

    found: what holds PSNR and SSIM; appraised: what may hold the LPIPS-style distance.
    """
    columns: Columns = {
        measure: {name: estimates.per_image(part, UNSEEN, measure) for name, part in found.items()}
        for measure in QUALITY[:2]
    }
    for measure in QUALITY[2:]:
        there = {name: appraised[name] for name in found if name in appraised}
        held = {name: [r] for name, r in there.items() if measure in r.tests[UNSEEN]}
        if held:
            columns[measure] = {
                name: estimates.per_image(part, UNSEEN, measure) for name, part in held.items()
            }
    return columns


def worst(values: np.ndarray, measure: str) -> float:
    """What a measure's worst 5 % of pictures begin at, the mean over seeds; (seeds, pictures)."""
    share = intervals.LOW if MEASURES[measure].higher_is_better else 1 - intervals.LOW
    return float(np.quantile(values, share, axis=1).mean())


def gains(found: Found) -> dict[str, np.ndarray]:
    """By how much PSNR lies above the untouched input's, by name, (seeds, pictures)."""
    return {
        name: estimates.per_image(part, UNSEEN, "psnr")
        - estimates.per_image(part, UNSEEN, "input_psnr")
        for name, part in found.items()
    }


# --- the claims


def needs_denoise(setting: Scale) -> Parts:
    """The prior and the ResNet on noise."""
    return _needs(setting, "denoise")


def needs_deblur(setting: Scale) -> Parts:
    """The same on blur."""
    return _needs(setting, "deblur")


def _needs(setting: Scale, task: str) -> Parts:
    return {"prior": priors(setting, task), "resnet": resnets(setting, task)}


def better(evidence: Evidence) -> Finding:
    """On what is unseen, the prior's mean PSNR is above that of the untouched input and a ResNet.

    The ResNet was trained on as many backgrounds. Beside it: the ceiling, and the same against
    the ResNet by SSIM.
    """
    ours, usual = evidence.records("prior"), evidence.records("resnet")
    level, ceiling = (estimates.mean(ours, UNSEEN, m) for m in ("psnr", "ceiling_psnr"))
    helped = estimates.between(ours, UNSEEN, "psnr", "input_psnr")
    more, by_ssim = (estimates.difference(ours, usual, UNSEEN, m) for m in ("psnr", "ssim"))
    told = (
        f"PSNR {level.text(1)} dB, {helped.text(1)} more than the untouched input, {more.text(1)} "
        f"more than a ResNet; the ceiling is {ceiling.value:.1f} dB; by SSIM, {by_ssim.text(3)} "
        f"more than the ResNet ({above_zero(by_ssim)})"
    )
    return Finding(all_of([above_zero(helped), above_zero(more)]), told)


def compact(evidence: Evidence) -> Finding:
    """The low tail of PSNR over pictures is shorter for the prior than for a ResNet.

    The tail: the mean minus the 5 % quantile. Beside it: the quantiles themselves.
    """
    groups = [estimates.group(evidence.records(p), UNSEEN, "psnr") for p in ("prior", "resnet")]
    shorter = intervals.shorter_tail(*groups)
    ours, usual = (intervals.tail(one.values).mean() for one in groups)
    lows = [np.quantile(one.values, intervals.LOW, axis=1).mean() for one in groups]
    told = (
        f"the mean lies {ours:.1f} dB above the 5 % quantile, a ResNet's {usual:.1f} dB, a "
        f"difference of {shorter.text(1)}; the quantiles are {lows[0]:.1f} and {lows[1]:.1f} dB"
    )
    return Finding(above_zero(shorter), told)
