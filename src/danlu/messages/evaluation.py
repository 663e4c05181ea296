"""Sentences of cross-validation, intervals, baselines."""

from __future__ import annotations

from danlu.errors import Sentence

FLAG_BASELINES = Sentence(
    "also what simple methods reach on the same rows (majority, linear, boosting; counts for language)",
    "同时给出简单方法在相同行上的结果（多数类、线性、梯度提升；语言模型为计数）",
)
BASELINE_MAJORITY = Sentence("majority class", "多数类")
BASELINE_MEAN = Sentence("mean", "均值")
BASELINE_LINEAR = Sentence("linear", "线性模型")
BASELINE_BOOSTING = Sentence("gradient boosting", "梯度提升树")
BASELINE_UNIGRAM = Sentence("token shares", "词元频率")
BASELINE_BIGRAM = Sentence("token pairs", "词元对")
BASELINE_NET = Sentence("this net", "该网络")
BASELINES_HEAD = Sentence(
    "beside simple methods on the same rows (net minus method, 95 % interval)", "与简单方法在相同行上的比较（网络减去该方法，95% 区间）"
)
BASELINES_NONE = Sentence("there is no baseline for a task of the kind {task}", "{task} 类任务没有基线")
INTERVALS_NOTE = Sentence(
    "in brackets: 95 % bootstrap intervals over the rows; another training would give other figures still",
    "方括号内：按行自助抽样的 95% 区间；重新训练还会带来其他差异",
)
