"""Sentences of the finders."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_FIND = Sentence(
    "find a number before a long run: `lr`, the learning rate, by a range test; `batch`, the useful batch and the largest that fits",
    "长时间训练之前先找数值：`lr` 用区间测试找学习率；`batch` 找有用的批大小和放得下的最大微批",
)
MORE_FIND = Sentence(
    "danlu find lr digits --seeds 3 --out lr.png\ndanlu find batch digits --out batch.png",
    "danlu find lr digits --seeds 3 --out lr.png\ndanlu find batch digits --out batch.png",
)
FIND_WHAT = Sentence("find what? there are `lr` and `batch`; found `{found}`", "要找什么？有 `lr` 和 `batch`；现在是 `{found}`")
FIND_FLAG = Sentence("{flag} is not for `find {what}`", "{flag} 不适用于 `find {what}`")
FLAG_FIND_SEEDS = Sentence("how many seeds to try (3)", "尝试多少个随机种子（3）")
FLAG_FIND_STEPS = Sentence("steps for each seed (200)", "每个种子的步数（200）")
FLAG_FIND_LOW = Sentence("lr: the lowest rate (1e-6)", "lr：最低学习率（1e-6）")
FLAG_FIND_HIGH = Sentence("lr: the highest rate (10)", "lr：最高学习率（10）")
FLAG_FIND_POINTS = Sentence("batch: at how many points of the training the noise is measured (6)", "batch：在训练的多少个位置测量噪声（6）")
FLAG_FIND_ROWS = Sentence("batch: how many rows are looked at there (1024)", "batch：每处查看多少行（1024）")
FLAG_FIND_MEMORY = Sentence(
    "batch: gigabytes that a step may take (a CPU: what is free now; an accelerator: tried until it is full)",
    "batch：一步可占用多少 GB 内存（CPU 默认为当前空闲内存；加速器则试到放不下为止）",
)
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
FIND_BATCH_OVER = Sentence(
    "{loss} is taken over the whole batch, so that a gradient over part of it is another one; `find batch` needs a loss that adds up over rows",
    "{loss} 是对整个批计算的损失，部分批的梯度与它不同；`find batch` 需要可按行相加的损失",
)
FIND_BATCH_BROKE = Sentence(
    "training broke at step {step}; find a rate first (danlu find lr), or take fewer steps (--steps)",
    "训练在第 {step} 步就已发散；请先用 danlu find lr 找学习率，或用 --steps 减少步数",
)
FIND_BATCH_LOST = Sentence(
    "seed {seed}: the gradient cannot be told from its noise; look at more rows (--rows), or take fewer steps (--steps)",
    "种子 {seed}：梯度淹没在噪声中，无法估计；请用 --rows 增加行数，或用 --steps 减少步数",
)
FIND_BATCH_ROWS = Sentence(
    "{rows} rows are too few to tell a gradient from its noise; look at more (--rows)",
    "{rows} 行太少，分不清梯度与噪声；请用 --rows 增加行数",
)
FIND_BATCH_MEMORY = Sentence(
    "not even one row of training fits in memory; take a smaller model, or --memory",
    "连一行训练数据都放不进内存；请用更小的模型，或调整 --memory",
)
FOUND_BATCH = Sentence("useful batch {rows:,} rows", "有用的批大小：{rows:,} 行")
FOUND_BATCH_NOISE = Sentence(
    "gradient noise scale {scale} rows, 95 % interval {low} to {high} over {seeds} seeds, in the second half of {steps} steps",
    "梯度噪声尺度 {scale} 行，{seeds} 个种子的 95% 区间为 {low} 到 {high}（训练 {steps} 步的后半段）",
)
FOUND_BATCH_ONE = Sentence(
    "gradient noise scale {scale} rows, of one seed, in the second half of {steps} steps",
    "梯度噪声尺度 {scale} 行（一个种子，训练 {steps} 步的后半段）",
)
FOUND_BATCH_MEANS = Sentence(
    "a smaller batch takes more steps; a larger one takes more rows for about as many steps. The scale grows as the loss falls",
    "批更小，则需要更多步；批更大，则步数几乎不减而用掉更多行。损失下降时该尺度会变大",
)
FOUND_MICRO = Sentence("largest micro-batch that fits: {rows:,} rows", "放得下的最大微批：{rows:,} 行")
FOUND_MICRO_WHOLE = Sentence(
    "a micro-batch of {rows:,} rows fits, so no batch needs to be cut; larger ones were not tried",
    "{rows:,} 行的微批放得下，无需切分；未再尝试更大的",
)
FOUND_MICRO_MEMORY = Sentence("its step takes {taken} of {free}", "其一步占用 {taken}，可用 {free}")
FIND_NEXT_BATCH = Sentence(
    "train with it, at a rate found anew: danlu find lr {words} {settings}", "改用它之后应重新找学习率：danlu find lr {words} {settings}"
)
FIND_AXIS_STEP = Sentence("step", "步数")
FIND_AXIS_SCALE = Sentence("gradient noise scale (rows)", "梯度噪声尺度（行）")
FIND_USEFUL = Sentence("useful: {rows:,} rows", "有用的批：{rows:,} 行")
FIND_THIS_BATCH = Sentence("the recipe's batch: {rows:,}", "配方的批：{rows:,}")
FIND_INTERVAL = Sentence("95 % interval over seeds", "种子间的 95% 区间")
