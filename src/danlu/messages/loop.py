"""Sentences of the loop."""

from __future__ import annotations

from danlu.errors import Sentence

IN_INPUTS = Sentence("the inputs", "输入")
IN_TARGETS = Sentence("the targets", "标签")
IN_MODULE = Sentence("the output of `{module}`", "`{module}` 的输出")
IN_LOSS = Sentence("the loss", "损失")
IN_BACKWARD = Sentence("the backward pass of `{module}`", "`{module}` 的反向传播")
IN_WHAT_FOLLOWS = Sentence("the backward pass of what follows `{module}`", "`{module}` 之后运算的反向传播")
IN_GRADIENT = Sentence("the gradient of `{module}`", "`{module}` 的梯度")
IN_TECHNIQUE = Sentence("what a technique or the optimizer made of finite numbers", "技巧或优化器对有限数值的处理结果")
MORE_SAMPLES = Sentence("{ids} and {more} more", "{ids} 及另外 {more} 个")
HALTED = Sentence(
    "step {step} is not finite, first in {where} (samples {ids}); it moved nothing. Look at these samples, lower the learning rate, or "
    "leave such steps out in a new run with nonfinite.policy=skip",
    "第 {step} 步出现非有限值，最先出现在{where}（样本 {ids}）；该步未更新任何参数。请检查这些样本、降低学习率，或在新的训练中用 "
    "nonfinite.policy=skip 跳过此类步",
)
ROLLED_BACK_IN_VAIN = Sentence(
    "step {step} is not finite, first in {where} (samples {ids}), after {count} returns to the weights of step {kept}; nothing moved. Lower "
    "the learning rate, add --with clip, or look at these samples",
    "第 {step} 步出现非有限值，最先出现在{where}（样本 {ids}），此前已 {count} 次回到第 {kept} 步的权重；未更新任何参数。请降低学习率、"
    "加上 --with clip，或检查这些样本",
)

NOTHING_LOWER = Sentence(
    "step {step}: the line search found no lower loss along its direction, and the weights stay where they were; either the loss jumps or is "
    "not finite near by (then lower optimizer.lr), or what the backward pass gives is not the gradient of the loss (danlu check looks at that)",
    "第 {step} 步：线搜索沿其方向找不到更低的损失，权重保持不变；要么附近的损失有跳变或非有限值（请减小 optimizer.lr），要么反向传播给出的"
    "不是该损失的梯度（可用 danlu check 检查）",
)

EPOCHS_OR_STEPS = Sentence(
    "set exactly one of `epochs` and `steps`; found epochs={epochs}, steps={steps}",
    "`epochs` 与 `steps` 必须且只能设置一个；现在是 epochs={epochs}, steps={steps}",
)
NEEDS = Sentence(
    "{technique} needs {need}, which the placement `{placement}` does not offer; remove {technique}, or use a placement that offers it "
    "(single does)",
    "{technique} 需要“{need}”，而放置方式 `{placement}` 不提供；请去掉 {technique}，或改用提供它的放置方式（single 提供）",
)
OVER_BATCH = Sentence(
    'the loss {loss} is taken over the whole batch (over="batch"), so it cannot be split: found {micro} micro-batches a step on '
    "{ranks} process(es); set micro_batch_size to the batch size on one process, or return a sum over rows",
    '损失 {loss} 是对整个批次计算的（over="batch"），不能拆分：现在每步有 {micro} 个微批、{ranks} 个进程；'
    "请在单进程上令 micro_batch_size 等于批大小，或返回按行求和的损失",
)
GHOST_NORM = Sentence(
    "the model has BatchNorm ({layer}) and a step is split into {micro} micro-batches, so its statistics would depend on the split; "
    "state the ghost size with the technique ghost_norm(size={size}), or set micro_batch_size to the batch size",
    "模型含 BatchNorm（{layer}），而每步被拆成 {micro} 个微批，统计量会随拆分而变；"
    "请用技巧 ghost_norm(size={size}) 写明分组大小，或令 micro_batch_size 等于批大小",
)
IDLE_NORM = Sentence(
    "the model has BatchNorm ({layer}), and some step leaves one of the {ranks} processes without rows; leave micro_batch_size out, set a "
    "batch_size whose last batch has rows for each process, or state groups with the technique ghost_norm(size={size})",
    "模型含 BatchNorm（{layer}），而某一步会让 {ranks} 个进程之一没有数据；请不设 micro_batch_size，换一个使最后一批也够每个进程分到行的 "
    "batch_size，或用技巧 ghost_norm(size={size}) 写明分组",
)
NO_DENOMINATOR = Sentence(
    "the loss term `{term}` names the denominator `{name}`, but the batch counts only {found}; give the loss a counts(batch) that returns it",
    "损失项 `{term}` 指定了分母 `{name}`，但批次只统计了 {found}；请让损失的 counts(batch) 返回它",
)
NOTHING_TRAINABLE = Sentence(
    "the model has no parameter that requires a gradient, so nothing would be trained; unfreeze some or remove what froze them",
    "模型没有任何需要梯度的参数，什么都不会被训练；请解冻一部分，或去掉冻结它们的设置",
)
