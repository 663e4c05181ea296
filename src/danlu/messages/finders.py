"""Sentences of the finders."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_FIND = Sentence(
    "find a number before a long run: `lr`, the learning rate, by a range test", "长时间训练之前先找数值：`lr` 用区间测试找学习率"
)
MORE_FIND = Sentence("danlu find lr digits --seeds 3 --out lr.png", "danlu find lr digits --seeds 3 --out lr.png")
FIND_WHAT = Sentence("find what? there is `lr`; found `{found}`", "要找什么？目前有 `lr`；现在是 `{found}`")
FLAG_FIND_SEEDS = Sentence("how many seeds to try (3)", "尝试多少个随机种子（3）")
FLAG_FIND_STEPS = Sentence("steps for each seed (200)", "每个种子的步数（200）")
FLAG_FIND_LOW = Sentence("the lowest rate (1e-6)", "最低学习率（1e-6）")
FLAG_FIND_HIGH = Sentence("the highest rate (10)", "最高学习率（10）")
FLAG_FIND_OUT = Sentence("write the picture as FILE.png or FILE.svg", "把图写到 FILE.png 或 FILE.svg")
FIND_NUMBER = Sentence("{flag}: a number above 0 is expected; found `{found}`", "{flag}：应为大于 0 的数；现在是 `{found}`")
FIND_ORDER = Sentence("--low ({low}) must be below --high ({high})", "--low（{low}）必须小于 --high（{high}）")
FIND_LR_SHORT = Sentence(
    "the loss broke after {steps} steps, at a rate of {rate}; start lower (--low) or take more steps (--steps)",
    "损失在第 {steps} 步、学习率 {rate} 时就已发散；请用 --low 从更低处开始，或用 --steps 增加步数",
)
FIND_LR_FLAT = Sentence(
    "the loss did not fall at any rate from {low} to {high}; try higher rates (--high), more steps (--steps), or look at the data with danlu look",
    "学习率从 {low} 到 {high}，损失都没有下降；可试更高的学习率（--high）、更多步数（--steps），或用 danlu look 检查数据",
)
FOUND_LR = Sentence("learning rate {rate:.2g}", "学习率 {rate:.2g}")
FOUND_LR_SPREAD = Sentence(
    "{seeds} seeds: {low:.2g} to {high:.2g}; the loss falls from {start:.2g} on and is lowest at {end:.2g}",
    "{seeds} 个种子：{low:.2g} 到 {high:.2g}；损失从 {start:.2g} 起下降，在 {end:.2g} 处最低",
)
FIND_NEXT = Sentence("train with it: danlu train {words} optimizer.lr={rate:.2g}", "用它训练：danlu train {words} optimizer.lr={rate:.2g}")
FIND_AXIS_RATE = Sentence("learning rate", "学习率")
FIND_AXIS_LOSS = Sentence("loss", "损失")
FIND_SEED = Sentence("seed {seed}", "种子 {seed}")
FIND_SUGGESTED = Sentence("suggested: {rate:.2g}", "建议：{rate:.2g}")
