"""Claims that are tested, and their verdicts. `claims.yaml` is a mapping from id to claim:

    momentum_helps:
      statement: {en: Momentum 0.9 reaches a higher accuracy than none., zh: 动量 0.9 的准确率高于无动量。}
      metric: val_accuracy
      a: momentum_9
      b: momentum_0
      relation: greater        # greater, less, equal: what a is, beside b
      effect: 0.005            # by how much at least; for equal, by how much at most
      seeds: 5                 # pairs that are needed, at least 5
      test: t                  # t, sign_flip
      regime: {en: "digits, 300 steps, rate tuned for each arm", zh: digits，300 步，两种设置各自调过学习率}

What decides, for d = mean of (a - b) over the seeds, `effect` e, and one-sided tests at 5 % that are Holm-corrected over all claims judged
together (greater; less is its mirror image):

- SUPPORTED: "d is at most e" is rejected: the effect is at least the smallest that matters (a minimum-effect test, Murphy and Myors 1999).
- NOT SUPPORTED: "d is at least e" is rejected: were there such an effect, the seeds would have shown it. So it takes power to say no, and
  too few or too noisy seeds never say it (Lakens, Scheel and Isager 2018, "Equivalence testing for psychological research").
- INCONCLUSIVE: neither, or fewer than `seeds` pairs, or a value that is not finite. Then `seeds_needed` is the number of seeds that would
  tell "no effect" from e with 80 % power at the deviation seen (with e = 0: the difference seen from none). Power at the effect seen would
  only say the p value again (Hoenig and Heisey 2001), so the distance is the claim's own.
- equal: SUPPORTED when d is shown to lie within +-e (TOST, Schuirmann 1987), NOT SUPPORTED when it is shown to lie outside.

The t-test takes the differences of seeds as normal; `sign_flip` only as symmetric, but with n pairs its p is never under 2^-n: five seeds
are enough for one claim, not for two with Holm. The tests' false verdicts are counted in tests/study/test_claims.py.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from danlu import find, messages
from danlu.describe.forms import make
from danlu.describe.places import Spot
from danlu.describe.recipe_file import read
from danlu.errors import BadInput, Sentence
from danlu.fields import NonNegative, Range, Written
from danlu.find.names import Phrase
from danlu.study import paired
from danlu.study.results import Measured

Word = Literal["SUPPORTED", "NOT SUPPORTED", "INCONCLUSIVE"]
Relation = Literal["greater", "less", "equal"]
Name = Annotated[str, Written(r"[a-z][a-z0-9_]*", "momentum_9")]
Pairs = Annotated[int, Range(5)]
Text = Annotated[str, Written(r"(?s).*\S.*", "...")]


@dataclass(frozen=True)
class Both:
    """A text of a study's own, in both languages."""

    en: Text
    zh: Text


@dataclass(frozen=True)
class Claim:
    """Arm `a` is greater than, less than, or equal to arm `b` in a metric, by at least (equal: at most) `effect`; see the module."""

    id: str
    statement: Sentence
    metric: str
    a: str
    b: str
    relation: Relation
    effect: float
    regime: Sentence
    seeds: int = 5
    test: paired.Test = "t"

    @property
    def keys(self) -> tuple[str, str]:
        """The values that are compared: `A.METRIC`, `B.METRIC`."""
        return f"{self.a}.{self.metric}", f"{self.b}.{self.metric}"


@dataclass(frozen=True)
class _Written:
    """A claim as the file has it."""

    statement: Both
    metric: Name
    a: Name
    b: Name
    relation: Relation
    effect: NonNegative
    regime: Both
    seeds: Pairs = 5
    test: paired.Test = "t"


@dataclass(frozen=True)
class Verdict:
    """What the seeds say of a claim.

    n: pairs; difference: mean of a - b; low, high: its 90 % interval, that of two one-sided tests at 5 %, uncorrected
    p_for, p_against: Holm-adjusted p of the tests that would make it SUPPORTED and NOT SUPPORTED
    seeds_needed: for 80 % power, when it is INCONCLUSIVE; reason: in both languages, with the numbers in it
    """

    word: Word
    n: int
    difference: float | None
    low: float | None
    high: float | None
    p_for: float | None
    p_against: float | None
    seeds_needed: int | None
    reason: Sentence


def read_claims(path: str | os.PathLike[str]) -> tuple[Claim, ...]:
    """The claims of a file, in its order. Raises BadInput with file, line, key and the nearest right one for anything that is not right."""
    data, places = read(Path(path))
    spot = Spot(places)
    if not isinstance(data, Mapping):
        raise spot.wrong(messages.NO_CLAIMS)
    return tuple(_claim(name, given, spot.at(name)) for name, given in data.items())


def _claim(name: str, given: Any, spot: Spot) -> Claim:
    if not isinstance(given, Mapping):
        raise spot.wrong(messages.NO_CLAIMS)
    w = make(_Written, given, spot)
    if w.a == w.b:
        raise spot.at("b").wrong(messages.SAME_ARM, arm=w.a)
    if w.relation == "equal" and w.effect == 0:
        raise spot.at("effect").wrong(messages.EQUAL_WITHIN)
    statement, regime = Sentence(w.statement.en, w.statement.zh), Sentence(w.regime.en, w.regime.zh)
    return Claim(name, statement, w.metric, w.a, w.b, w.relation, w.effect, regime, w.seeds, w.test)


def judge(claims: Sequence[Claim], values: Mapping[str, Measured]) -> dict[str, Verdict]:
    """The verdict of each claim, by id, Holm-corrected over all of them.

    Raises BadInput for a value that is not there, and for arms that were not measured with the same seeds.
    """
    found = [_differences(claim, values) for claim in claims]
    enough = [len(d) >= claim.seeds and bool(np.isfinite(d).all()) for claim, d in zip(claims, found)]
    ps = [_tests(claim, d) if known else (1.0, 1.0) for claim, d, known in zip(claims, found, enough)]  # all claims are of the family
    fors, againsts = (paired.holm([p[side] for p in ps]) for side in (0, 1))
    return {
        claim.id: _verdict(claim, d, known, p_for, p_against)
        for claim, d, known, p_for, p_against in zip(claims, found, enough, fors, againsts)
    }


def _differences(claim: Claim, values: Mapping[str, Measured]) -> np.ndarray:
    """a - b for each seed, float64 [n]; NaN where either is not finite."""
    arms = []
    for key in claim.keys:
        if key not in values:
            raise BadInput(messages.NO_SUCH_VALUE, key=key, hint=find.hint(key, list(values)))
        arms.append(dict(zip(values[key].seeds, values[key].values)))
    a, b = arms
    if a.keys() != b.keys():
        raise BadInput(messages.SEEDS_DIFFER, claim=claim.id, a=claim.keys[0], b=claim.keys[1], seeds=sorted(a.keys() ^ b.keys()))
    unknown = lambda value: math.nan if value is None else value
    return np.array([unknown(a[seed]) - unknown(b[seed]) for seed in a], dtype=np.float64)


def _tests(claim: Claim, d: np.ndarray) -> tuple[float, float]:
    """(p for, p against)."""
    if claim.relation == "equal":
        return paired.inside(d, claim.effect, claim.test), paired.outside(d, claim.effect, claim.test)
    d = d if claim.relation == "greater" else -d
    return paired.above(d, claim.effect, claim.test), paired.below(d, claim.effect, claim.test)


def _verdict(claim: Claim, d: np.ndarray, enough: bool, p_for: float, p_against: float) -> Verdict:
    if not enough:
        few = len(d) < claim.seeds
        reason = _filled(messages.TOO_FEW_SEEDS, {"n": len(d), "needed": claim.seeds})
        if not few:
            reason = _filled(messages.SEEDS_NOT_FINITE, {"n": int((~np.isfinite(d)).sum())})
        return Verdict("INCONCLUSIVE", len(d), None, None, None, None, None, claim.seeds if few else None, reason)
    mean, (low, high) = float(d.mean()), paired.interval(d, claim.test)
    shown = {
        "difference": f"{mean:.4g}", "low": f"{low:.4g}", "high": f"{high:.4g}", "effect": f"{claim.effect:g}", "n": len(d),
        "relation": Phrase(messages.RELATIONS[claim.relation]),
    }  # fmt: skip
    needed = None
    word: Word
    if p_for <= paired.ALPHA:
        word, sentence, p = "SUPPORTED", messages.CLAIM_SUPPORTED, p_for
    elif p_against <= paired.ALPHA:
        word, sentence, p = "NOT SUPPORTED", messages.CLAIM_NOT_SUPPORTED, p_against
    else:
        word, sentence, p = "INCONCLUSIVE", messages.CLAIM_INCONCLUSIVE, min(p_for, p_against)
        power = (1 + paired.POWER) / 2 if claim.relation == "equal" else paired.POWER  # of either side, for both to hold
        needed = paired.pairs_needed(float(d.std(ddof=1)), claim.effect or abs(mean), power=power)
        if needed is not None and needed <= len(d):
            needed = None  # the seeds were enough to tell nothing from the effect: it lies between
    more = Phrase(messages.SEEDS_WOULD_TELL, seeds=needed) if needed else Phrase(messages.NOTHING_MORE)
    finite = lambda value: value if math.isfinite(value) else None
    return Verdict(
        word, len(d), mean, finite(low), finite(high), p_for, p_against, needed, _filled(sentence, {**shown, "p": f"{p:.2g}", "more": more})
    )


def _filled(sentence: Sentence, values: Mapping[str, Any]) -> Sentence:
    """The sentence with its values, in both languages, whatever language is chosen."""
    in_language: Callable[[str], dict[str, Any]] = lambda lang: {
        key: getattr(value.sentence, lang).format(**value.values) if isinstance(value, Phrase) else value for key, value in values.items()
    }
    return Sentence(sentence.en.format(**in_language("en")), sentence.zh.format(**in_language("zh")))
