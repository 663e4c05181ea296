"""Sentences of metrics and validation."""

from __future__ import annotations

from danlu.errors import Sentence

WATCHED_MISSING = Sentence(
    "{technique} watches `{watch}`, which no report has; found: {found}. Watch one of these, or add the metric to the recipe",
    "{technique} 监视的 `{watch}` 不在报告中；现有：{found}。请改为其中之一，或在配方里加上该指标",
)
NO_AVERAGE = Sentence(
    "weights=ema was asked for, but no technique keeps an average; add --with ema, or use weights=raw",
    "指定了 weights=ema，但没有技巧维护滑动平均；请加上 --with ema，或使用 weights=raw",
)

NOT_A_METRIC = Sentence(
    "{found} is no metric; give a name from `danlu list`, or a description",
    "{found} 不是指标；请给出 `danlu list` 中的名称，或一个描述",
)
METRIC_TWICE = Sentence(
    "the metric `{metric}` is named twice; name it once",
    "指标 `{metric}` 写了两次；只写一次即可",
)
NO_USUAL_METRIC = Sentence(
    "no metric is usual for the task `{task}`; name some in `metrics`",
    "任务 `{task}` 没有默认指标；请在 `metrics` 中指定",
)
TOP_K = Sentence(
    "top_k(k={k}) is always right with {classes} classes; set k below the number of classes",
    "只有 {classes} 个类别时，top_k(k={k}) 总是正确；请让 k 小于类别数",
)
NO_LABELS = Sentence(
    "a metric of classes was asked for, but the targets are numbers from {low:g} to {high:g}; use rmse, mae or r2",
    "要求的是分类指标，而目标是 {low:g} 到 {high:g} 的数值；请改用 rmse、mae 或 r2",
)
NO_BYTES_PER_TOKEN = Sentence(
    "bits_per_byte needs to know how many bytes a token has, and these data do not say; use perplexity",
    "bits_per_byte 需要知道每个词元平均多少字节，而这份数据没有给出；请改用 perplexity",
)
UNDEFINED_LABELS = Sentence("there is no label to compare with", "没有可供比较的标签")
UNDEFINED_AUROC = Sentence(
    "there are not both positives and negatives, or a score is not a number",
    "正例与负例没有同时出现，或得分中有 NaN",
)
UNDEFINED_ERROR = Sentence("there are no targets, or an error is not finite", "没有目标值，或误差不是有限数")
UNDEFINED_R2 = Sentence("a target column is constant, or an error is not finite", "某个目标列为常数，或误差不是有限数")
UNDEFINED_TOKENS = Sentence("there is no token to predict, or its likelihood is not finite", "没有需要预测的词元，或似然不是有限数")
