"""Claims are read strictly, judged on paired seeds, and rarely judged wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from danlu.errors import BadInput, Sentence, speak
from danlu.study import paired
from danlu.study.claims import Claim, judge, read_claims
from danlu.study.results import Measured, measured

GOOD = """
momentum_helps:
  statement: {en: Momentum helps., zh: 动量有帮助。}
  metric: val_accuracy
  a: momentum_9
  b: momentum_0
  relation: greater
  effect: 0.005
  regime: {en: "digits, 300 steps", zh: digits，300 步}
same_cost:
  statement: {en: It costs nothing., zh: 没有代价。}
  metric: seconds
  a: momentum_9
  b: momentum_0
  relation: equal
  effect: 0.1
  regime: {en: one thread, zh: 单线程}
  seeds: 10
  test: sign_flip
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_claims_of_a_file(tmp_path: Path) -> None:
    first, second = read_claims(written(tmp_path, GOOD))
    assert first.keys == ("momentum_9.val_accuracy", "momentum_0.val_accuracy")
    assert (first.id, first.relation, first.effect, first.seeds, first.test) == ("momentum_helps", "greater", 0.005, 5, "t")
    assert first.statement == Sentence("Momentum helps.", "动量有帮助。")
    assert (second.seeds, second.test, second.regime.en) == (10, "sign_flip", "one thread")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("relation: greater", "relaton: greater", r"claims\.yaml:7.*relaton.*`?relation"),
        ("relation: greater", "relation: grater", r"claims\.yaml:7.*greater"),
        ("effect: 0.005", "effect: -1", "effect"),
        ("effect: 0.005", "effect: small", "effect"),
        ("  regime: {en: one thread, zh: 单线程}\n", "", "regime"),
        ("zh: 动量有帮助。", 'zh: " "', "zh"),
        ("{en: Momentum helps., zh: 动量有帮助。}", "Momentum helps.", "statement"),
        ("seeds: 10", "seeds: 4", "seeds"),
        ("effect: 0.1", "effect: 0", "exactly"),
        ("b: momentum_0", "b: momentum_9", "momentum_9"),
        ("test: sign_flip", "test: wilcoxon", "sign_flip"),
        ("metric: seconds", "metric: Seconds!", "metric"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput, match=said):
        read_claims(written(tmp_path, GOOD.replace(old, new, 1)))


def test_a_file_that_holds_no_claims(tmp_path: Path) -> None:
    for text in ("- a\n", "a: 1\n", ""):
        with pytest.raises(BadInput, match="mapping from an id"):
            read_claims(written(tmp_path, text))


def claim(relation: Any = "greater", effect: float = 0.01, name: str = "c", test: Any = "t", seeds: int = 5) -> Claim:
    return Claim(name, Sentence("s", "述"), "m", "a", "b", relation, effect, Sentence("r", "域"), seeds, test)


def arms(differences: Any, base: float = 0.5) -> dict[str, Measured]:
    return {
        "a.m": measured({seed: base + float(d) for seed, d in enumerate(differences)}),
        "b.m": measured(dict.fromkeys(range(len(differences)), base)),
    }


SPREAD = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


@pytest.mark.parametrize("test", ["t", "sign_flip"])
@pytest.mark.parametrize(
    ("relation", "mean", "word"),
    [
        ("greater", 0.05, "SUPPORTED"), ("greater", 0.012, "INCONCLUSIVE"), ("greater", 0.0, "NOT SUPPORTED"),
        ("greater", -0.05, "NOT SUPPORTED"),
        ("less", -0.05, "SUPPORTED"), ("less", -0.012, "INCONCLUSIVE"), ("less", 0.0, "NOT SUPPORTED"), ("less", 0.05, "NOT SUPPORTED"),
        ("equal", 0.0, "SUPPORTED"), ("equal", 0.012, "INCONCLUSIVE"), ("equal", -0.012, "INCONCLUSIVE"), ("equal", 0.05, "NOT SUPPORTED"),
        ("equal", -0.05, "NOT SUPPORTED"),
    ],
)  # fmt: skip
def test_verdicts(relation: Any, mean: float, word: str, test: Any) -> None:
    verdict = judge([claim(relation, test=test)], arms(mean + 0.005 * SPREAD))["c"]
    if test == "sign_flip" and relation == "equal" and word == "NOT SUPPORTED":
        word = "INCONCLUSIVE"  # five seeds: p is at least 1 / 32, and either side may be meant
    assert verdict.word == word
    assert verdict.difference == pytest.approx(mean)
    assert verdict.low < mean < verdict.high
    assert verdict.n == 5


def test_an_effect_smaller_than_what_matters_is_not_supported() -> None:
    verdict = judge([claim(effect=0.05)], arms(0.01 + 0.001 * SPREAD))["c"]
    assert verdict.word == "NOT SUPPORTED" and verdict.low > 0


def test_noise_is_inconclusive_and_says_how_many_seeds_would_tell() -> None:
    verdict = judge([claim(effect=0.01)], arms(0.02 * SPREAD))["c"]
    assert verdict.word == "INCONCLUSIVE"
    assert verdict.seeds_needed == paired.pairs_needed(float(np.std(0.02 * SPREAD, ddof=1)), 0.01) > 5
    assert f"about {verdict.seeds_needed} seeds" in verdict.reason.en and f"约需 {verdict.seeds_needed} 个种子" in verdict.reason.zh
    many = np.resize(0.02 * SPREAD, 5 * verdict.seeds_needed)
    assert judge([claim(effect=0.01)], arms(many))["c"].word == "NOT SUPPORTED"


def test_a_reason_is_in_both_languages_whatever_is_spoken() -> None:
    speak("zh")
    try:
        reason = judge([claim()], arms(0.05 + 0.001 * SPREAD))["c"].reason
    finally:
        speak(None)
    assert "greater" in reason.en and "更大" in reason.zh and "0.05" in reason.en and "0.05" in reason.zh


def test_holm_counts_every_claim() -> None:
    """One p of 0.03 is enough alone, and not among three."""
    d = np.array([0.02, 0.3, 0.1, 0.25, 0.15])
    alone = judge([claim(effect=0.0, test="sign_flip")], arms(d))["c"]
    assert alone.word == "SUPPORTED" and alone.p_for == pytest.approx(1 / 32)
    three = judge([claim(effect=0.0, name=name, test="sign_flip") for name in "xyz"], arms(d))
    assert {verdict.word for verdict in three.values()} == {"INCONCLUSIVE"}
    assert three["x"].p_for == pytest.approx(3 / 32)
    with_few = judge([claim(effect=0.0, test="sign_flip"), claim(name="few", seeds=9)], arms(d))
    assert with_few["c"].word == "INCONCLUSIVE" and with_few["few"].seeds_needed == 9


def test_too_few_seeds_and_divergence_are_inconclusive() -> None:
    few = judge([claim()], arms(0.05 + 0.001 * SPREAD[:3]))["c"]
    assert (few.word, few.n, few.p_for, few.seeds_needed) == ("INCONCLUSIVE", 3, None, 5) and "3 seeds of the 5" in few.reason.en
    values = arms(0.05 + 0.001 * SPREAD)
    values["a.m"] = measured({seed: float("nan") if seed == 2 else 1.0 for seed in range(5)})
    broken = judge([claim()], values)["c"]
    assert broken.word == "INCONCLUSIVE" and "diverged" in broken.reason.en


def test_pairs_are_by_seed() -> None:
    a, b = {3: 1.0, 1: 2.0, 7: 3.0, 9: 5.0, 4: 1.5}, {1: 1.0, 9: 4.0, 7: 2.0, 4: 0.5, 3: 0.0}
    verdict = judge([claim(effect=0.5)], {"a.m": measured(a), "b.m": measured(b)})["c"]
    assert verdict.word == "SUPPORTED" and verdict.low == pytest.approx(1.0)
    with pytest.raises(BadInput, match=r"\[4, 5\]"):
        judge([claim()], {"a.m": measured(a), "b.m": measured({**{k: v for k, v in b.items() if k != 4}, 5: 1.0})})
    with pytest.raises(BadInput, match=r"`b\.m`.*a\.m|did you mean"):
        judge([claim()], {"a.m": measured(a)})


def rate(word: str, effect: float, mean: float, relation: Any = "greater", n: int = 5, claims: int = 1, drawn: int = 200) -> float:
    """How often any of `claims` claims is called `word`, when the difference is `mean` and seeds scatter by one."""
    rng = np.random.default_rng(n)
    found = 0
    for _ in range(drawn):
        values: dict[str, Measured] = {}
        asked = []
        for k in range(claims):
            one = {seed: float(x) for seed, x in enumerate(rng.normal(mean, 1, n))}
            values |= {f"a{k}.m": measured(one), f"b{k}.m": measured(dict.fromkeys(one, 0.0))}
            asked.append(Claim(str(k), Sentence("s", "述"), "m", f"a{k}", f"b{k}", relation, effect, Sentence("r", "域"), 5))
        found += any(verdict.word == word for verdict in judge(asked, values).values())
    return found / drawn


def false_verdicts(drawn: int) -> None:
    allowed = 0.05 + 2.6 * (0.05 * 0.95 / drawn) ** 0.5  # one in a hundred above it by chance
    assert rate("SUPPORTED", effect=0.0, mean=0.0, drawn=drawn) <= allowed  # no effect
    assert rate("SUPPORTED", effect=0.5, mean=0.5, drawn=drawn) <= allowed  # an effect that is just not above the smallest that matters
    assert rate("SUPPORTED", effect=0.5, mean=0.0, drawn=drawn) <= 0.03
    assert rate("NOT SUPPORTED", effect=1.0, mean=1.0, drawn=drawn) <= allowed
    assert rate("SUPPORTED", effect=1.0, mean=1.0, relation="equal", n=8, drawn=drawn) <= allowed
    assert rate("NOT SUPPORTED", effect=1.0, mean=1.0, relation="equal", n=8, drawn=drawn) <= allowed
    assert rate("SUPPORTED", effect=0.0, mean=0.0, claims=4, drawn=drawn) <= allowed  # any of four


def test_false_verdicts_are_rare() -> None:
    false_verdicts(200)


@pytest.mark.slow
def test_false_verdicts_are_rare_over_many_draws() -> None:
    false_verdicts(4000)


def test_true_claims_are_found() -> None:
    assert rate("SUPPORTED", effect=0.5, mean=2.5, drawn=150) > 0.9
    assert rate("NOT SUPPORTED", effect=2.0, mean=0.0, drawn=150) > 0.9
    assert rate("SUPPORTED", effect=2.0, mean=0.0, relation="equal", drawn=150) > 0.9
