"""What the papers claim, and who judges it. Hu 2026 and Gu 2023 are the two papers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rainlens import complexity, convergence, rain, toy_evaluation
from rainlens.claims import (
    balancing,
    evidence,
    other_tasks,
    pictures,
    priors,
    quality,
    removal,
    toy,
)
from rainlens.claims.evidence import Evidence, Find, Missing, Needs, OutOfReach
from rainlens.claims.rules import UNDECIDED, UNTESTED, Finding, Judge
from rainlens.scales import Scale


@dataclass(frozen=True)
class Claim:
    """What a paper says, where, and how we decide it.

    paper: what the paper measured. chapter: the chapter of this book that treats it. judge: None
    while that chapter is still to come. needs: the experiments that the judge reads, of a scale.
    """

    id: str
    text: str
    where: str
    paper: str
    chapter: int
    judge: Judge | None = None
    needs: Needs = evidence.nothing

    def decide(self, setting: Scale, find: Find) -> Finding:
        """The verdict on the records of a scale; find: name -> record, None where there is none.

        Not tested without a judge or any record; not decided where some records are missing, or
        where the scale cannot reach the question.
        """
        if self.judge is None:
            return Finding(UNTESTED, f"chapter {self.chapter} is still to come")
        found = Evidence(self.needs(setting), find)
        lost, wanted = len(found.missing), len(found.names)
        if lost == wanted:
            return Finding(UNTESTED, "not computed at this scale")
        try:
            finding = self.judge(found)
        except Missing:
            return Finding(UNDECIDED, f"{lost} of {wanted} records are missing")
        except OutOfReach as lacking:
            return Finding(UNDECIDED, f"this scale lacks {lacking}")
        trainings = convergence.told(found.read.values())
        return replace(finding, records=tuple(found.read), trainings=trainings)


CLAIMS = (
    Claim(
        "fewer-backgrounds",
        "Removal of unseen rain falls as N grows, in every category, for three networks.",
        "Hu 2026, Fig. 4", "E_R falls in all panels", 4,
        removal.fewer_backgrounds, evidence.networks,
    ),
    Claim(
        "collapse",
        "At N = 8 a ResNet trained on natural pictures removes unseen rain; by N = 256 its removal "
        "has mostly collapsed.",
        "Hu 2026, Sec. 4.1.1, Fig. 4", "collapsed by 256, and no change beyond", 4,
        removal.collapse, evidence.ranges("medium"),
    ),
    Claim(
        "rain-range",
        "The tipping point grows with the range of the training rain.",
        "Hu 2026, Fig. 8", "16 (small) < 64 (medium) < 512 (large)", 5,
        removal.rain_range, evidence.ranges(*rain.RANGES),
    ),
    Claim(
        "category-order",
        "Faces tip first, natural pictures next, comics and buildings last.",
        "Hu 2026, Fig. 9a", "faces 8 to 16, comics and urban beyond 32", 7,
        pictures.category_order, evidence.categories,
    ),
    Claim(
        "complexity-order",
        "Structural complexity: faces > natural > comics > urban.",
        "Hu 2026, Fig. 9b", "that order; Gu 2023, Sec. 3.1 prints the reverse", 7,
        pictures.complexity_order, evidence.surveys,
    ),
    Claim(
        "low-sharpness",
        "Training on pictures of low sharpness removes most unseen rain, at every stage.",
        "Hu 2026, Fig. 6", "highest E_R throughout 100,000 iterations", 6,
        pictures.low_sharpness, evidence.sharpness(*complexity.SHARPNESS_CLASSES),
    ),
    Claim(
        "sharpness-tradeoff",
        "For low sharpness, E_B improves and E_R declines as training goes on.",
        "Hu 2026, Fig. 6", "both curves fall in 100,000 iterations", 6,
        pictures.sharpness_tradeoff, evidence.sharpness("low"),
    ),
    Claim(
        "reconstruction",
        "For a ResNet trained on natural pictures, E_B falls with N and is nearly flat from 256 "
        "on.",
        "Gu 2023, Fig. 7",
        "no significant gain beyond 256; Hu 2026, Fig. 10 shows the same measure", 4,
        removal.reconstruction, evidence.ranges("medium"),
    ),
    Claim(
        "transfer",
        "Trained on faces or buildings, tested on natural pictures: like natural from N = 256 on; "
        "comics stay worse.",
        "Gu 2023, Fig. 10",
        "curves meet at 256; rain removal is similar, too, and worst for comics", 8,
        pictures.transfer, evidence.categories,
    ),
    Claim(
        "model-size",
        "The tipping point does not move with the size of the network; larger ones remove more at "
        "small N, less at large N.",
        "Gu 2023, Fig. 11", "same place for three sizes", 8,
        removal.model_size, evidence.sizes,
    ),
    Claim(
        "toy-content",
        "A network trained on the slow cosine gives it back whatever the input.",
        "Hu 2026, Fig. 11, 13", "MSE 0.3544 under N(10, 5)", 3,
        toy.toy_content, evidence.toys(1),
    ),
    Claim(
        "toy-noise",
        "Under foreign noise a network trained on the fast cosine does worse than one trained on "
        "the slow; the matched MSE rises with O.",
        "Hu 2026, Fig. 12, 14",
        "matched 0.0009 (O = 1) to 0.0472 (O = 8); under N(10, 5) 0.3544 and 49.7739", 3,
        toy.toy_noise, evidence.toys(*toy_evaluation.ORDERS),
    ),
    Claim(
        "balance",
        "Large-range rain with 128 or 256 pictures beats 30k/medium in E_R and 64/medium in E_B.",
        "Hu 2026, Table 3", "E_R 51.8 and 45.6 against 31.2; E_B 23.5 and 16.5 against 25.0", 9,
        removal.balance, evidence.ranges("medium", "large"),
    ),
    Claim(
        "balance-networks",
        "The same in SPDNet and RCDNet: large-range rain with 128 or 256 pictures beats 30k/medium "
        "in E_R and 64/medium in E_B.",
        "Hu 2026, Table 3",
        "SPDNet E_R 43.2 and 38.9 against 33.6; RCDNet 44.7 and 40.4 against 26.6, E_B 13.7 and "
        "8.5 against 14.8", 9,
        balancing.balance_networks, balancing.needs_balance,
    ),
    Claim(
        "wider-range",
        "In SPDNet and RCDNet a larger range of rain alone brings some removal; 128 backgrounds "
        "beside it bring more.",
        "Hu 2026, Sec. 6.1, Fig. 15",
        "by eye; Table 3 has E_R from 30k/medium over 512/large to 128/large: SPDNet 33.6, 39.9, "
        "43.2, RCDNet 26.6, 37.5, 44.7", 9,
        balancing.wider_range, balancing.needs_wider,
    ),
    Claim(
        "psnr-misleads",
        "The untouched rainy picture can have a better PSNR than one from which rain was removed.",
        "Hu 2026, Table 3",
        "says so of a network that returns its input; of two networks, the one with E_R 31.2 has "
        "25.15 dB, the one with E_R 53.3 has 20.87 dB", 2,
        removal.psnr_misleads, evidence.ranges("small"),
    ),
    Claim(
        "semi-supervised",
        "Syn2Real helps by turning unseen rain into seen rain.",
        "Hu 2026, Sec. 6.1, Fig. 16", "by eye, and as an explanation", 9,
        balancing.semi_supervised, balancing.semi,
    ),
    Claim(
        "prior-derain",
        "Fine-tuning only the encoder of a VQGAN generalises to unseen rain.",
        "Hu 2026, Fig. 18a", "by eye", 10,
        priors.prior_derain, priors.needs_prior,
    ),
    Claim(
        "prior-denoise",
        "In denoising a fine-tuned VQGAN generalises, too: from Gaussian noise to salt and pepper.",
        "Hu 2026, Fig. 18b, 20", "by eye, and preferred by DepictQA in over 90 %", 11,
        other_tasks.better, other_tasks.needs_denoise,
    ),
    Claim(
        "prior-deblur",
        "In deblurring a fine-tuned VQGAN generalises, too: from Gaussian blur to motion blur.",
        "Hu 2026, Fig. 22, 23", "PSNR 29.484 dB, about 1 dB above the others", 11,
        other_tasks.better, other_tasks.needs_deblur,
    ),
    Claim(
        "prior-compact",
        "In deblurring the PSNR of a fine-tuned VQGAN is compact over pictures; that of other "
        "networks has long low tails.",
        "Hu 2026, Fig. 23", "by the shape of violins", 11,
        other_tasks.compact, other_tasks.needs_deblur,
    ),
    Claim(
        "iqa-misleads",
        "PSNR and SSIM do not follow the removal of rain.",
        "Hu 2026, Fig. 19", "by example, as for MANIQA and MUSIQ, which cannot be had here", 12,
        quality.iqa_misleads, quality.needs_measures,
    ),
    Claim(
        "judge",
        "Asked which picture shows less rain, a judge prefers the network of low sharpness.",
        "Hu 2026, Fig. 7", "DepictQA does; the figure has no numbers", 12,
        quality.judge, quality.needs_judge,
    ),
    Claim(
        "judge-prior",
        "Asked which picture shows less rain, a judge prefers the fine-tuned VQGAN.",
        "Hu 2026, Fig. 20", "DepictQA does in over 90 %", 10,
        quality.judge_prior, quality.needs_judge_prior,
    ),
    Claim(
        "codebook",
        "Without quantisation and trained from scratch, the VQGAN's network fails on unseen rain.",
        "Hu 2026, Fig. 24", "by eye", 10,
        priors.codebook, priors.needs_codebook,
    ),
)  # fmt: skip
