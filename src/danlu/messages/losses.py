"""Sentences of losses."""

from __future__ import annotations

from danlu.errors import Sentence

NO_LOGITS = Sentence(
    "the model returned a {found}; a loss or metric needs a tensor, or an output with `logits`; return one, or write the loss as "
    "f(model, batch)",
    "模型返回的是 {found}；损失与指标需要张量，或带有 `logits` 的输出；请返回其一，或把损失写成 f(model, batch)",
)
NO_HEAD = Sentence(
    "chunked_cross_entropy runs the model's output layer over a chunk of positions at a time, and found none in {model}: its scores must be "
    "what an nn.Linear inside it returns, unchanged; use cross_entropy",
    "chunked_cross_entropy 要对位置分块运行模型的输出层，而 {model} 中没有：其得分必须是内部某个 nn.Linear 原样返回的结果；请改用 cross_entropy",
)
SHAPES_DIFFER = Sentence(
    "the model's output has shape {output}, the targets {target}; they must agree (a lone last column may be left out); change the model's "
    "outputs, or the targets",
    "模型输出的形状是 {output}，目标是 {target}；两者必须一致（单独的最后一列可以省略）；请修改模型的输出或目标",
)
LABEL_SHAPES = Sentence(
    "scores of shape {output} do not fit targets of shape {target} ({dtype}): class labels are integers, one for each position, and soft "
    "targets are floats of the same shape as the scores",
    "得分的形状 {output} 与目标的形状 {target}（{dtype}）不匹配：类别标签应为整数，每个位置一个；概率目标应为浮点数，形状与得分相同",
)
OUTPUT_COLUMNS = Sentence(
    "for targets of shape {target} this loss needs an output of shape {wanted}, and the model returned {output}; give the model that many "
    "output columns",
    "目标形状为 {target} 时，此损失需要形状为 {wanted} 的输出，而模型返回 {output}；请让模型具有相应数目的输出列",
)
NO_QUANTILES = Sentence(
    "quantile(quantiles=...) is empty; name at least one, such as [0.1, 0.5, 0.9]",
    "quantile(quantiles=...) 为空；请至少给出一个分位数，例如 [0.1, 0.5, 0.9]",
)
WEIGHTS_LENGTH = Sentence(
    "`{field}` has {found} values, but {classes} are needed, one for each class",
    "`{field}` 有 {found} 个值，而需要 {classes} 个，每个类别一个",
)
NOT_BALANCED = Sentence(
    "class_weights=balanced needs training rows of every class; rows by class: {found}; give the weights as numbers",
    "class_weights=balanced 要求每个类别都有训练行；各类行数：{found}；请直接写出权重数值",
)
FOCAL_ALPHA = Sentence(
    "focal(alpha={found}) does not fit the task `{task}`: it is one number (the weight of the positives) for multilabel, and one weight for "
    "each class otherwise",
    "focal(alpha={found}) 与任务 `{task}` 不符：多标签任务用一个数（正例的权重），其他任务为每个类别各给一个权重",
)
HINGE_MULTILABEL = Sentence(
    "hinge(kind={kind}) needs exactly one true class a row, but the task is multilabel; set kind=one_vs_rest",
    "hinge(kind={kind}) 要求每行恰有一个真实类别，而任务是 multilabel；请设 kind=one_vs_rest",
)
TWO_CLASSES = Sentence(
    "{loss} needs at least two classes, and the data have {found}",
    "{loss} 至少需要两个类别，而数据只有 {found} 个",
)
NATIVE_UNKNOWN = Sentence(
    "torch's {loss} is not a plain sum over rows that danlu knows how to count; write it as f(output, target) that returns a sum or one value "
    "a row",
    "danlu 不知道 torch 的 {loss} 该如何按行计数；请把它写成 f(output, target)，返回总和或每行一个值",
)
LOSS_HAS_PARAMETERS = Sentence(
    "the loss {loss} has parameters of its own, which nothing would train; make it a part of the model and write the loss as f(model, batch)",
    "损失 {loss} 自带参数，这些参数不会被训练；请把它放进模型，并把损失写成 f(model, batch)",
)
NOT_A_LOSS = Sentence(
    "{found} is no loss; give a name from `danlu list`, a description, a loss of torch, or a function f(output, target)",
    "{found} 不是损失；请给出 `danlu list` 中的名称、描述、torch 的损失，或函数 f(output, target)",
)
NO_USUAL_LOSS = Sentence(
    "loss=auto does not know the task `{task}` (known: {known}); name a loss",
    "loss=auto 不认识任务 `{task}`（已知：{known}）；请指定一个损失",
)
LOSS_OVER = Sentence(
    'the loss {loss} says over={found!r}; it is either "rows" or "batch"',
    '损失 {loss} 写着 over={found!r}；只能是 "rows" 或 "batch"',
)
LOSS_RUNS_MODEL = Sentence(
    "the loss {loss} is a function of (model, batch) and runs the model itself, so it cannot be taken of an output; write it as "
    "f(output, target) for this use",
    "损失 {loss} 是 (model, batch) 的函数，会自己运行模型，不能直接用于某个输出；这种用法请把它写成 f(output, target)",
)
LOSS_NO_TENSOR = Sentence(
    "the loss {loss} returned a {found}; return a tensor (a sum, or one value a row), or a dict of them",
    "损失 {loss} 返回了 {found}；请返回张量（总和，或每行一个值），或由它们组成的字典",
)
LOSS_SHAPE = Sentence(
    "the loss {loss} returned a tensor of shape {found} for {rows} rows; return a sum (no dimensions) or, unless it is a mean or over the "
    "batch, one value a row",
    "损失 {loss} 对 {rows} 行返回了形状为 {found} 的张量；请返回总和（零维），或每行一个值（均值损失与整批损失除外）",
)
LOSS_IS_MEAN = Sentence(
    "this loss is a mean; return a sum, or write mean_loss({loss}): on {rows} rows the term `{term}` is {whole}, on two parts of them {left} "
    "and {right}",
    "这个损失是均值；请返回总和，或写成 mean_loss({loss})：对 {rows} 行，损失项 `{term}` 为 {whole}，分成两部分则为 {left} 与 {right}",
)
LOSS_NOT_SUM = Sentence(
    "the loss {loss} is not a sum over rows: on {rows} rows the term `{term}` is {whole}, on two parts of them {left} and {right}; return one "
    "value a row, or, if it looks at the batch as a whole, write batch_loss({loss})",
    "损失 {loss} 不是按行求和：对 {rows} 行，损失项 `{term}` 为 {whole}，分成两部分则为 {left} 与 {right}；"
    "请每行返回一个值；若它针对整个批次，请写成 batch_loss({loss})",
)
LOSS_ONCE_DIFFERS = Sentence(
    "the term `{term}` of the loss {loss} is counted once a step but depends on the rows: {whole} on {rows} of them, {left} and {right} on two "
    "parts; count it by rows",
    "损失 {loss} 的损失项 `{term}` 声明为每步计一次（once），却随行变化：{rows} 行时为 {whole}，分成两部分则为 {left} 与 {right}；请按行（rows）计数",
)
COUNT_NOT_SUM = Sentence(
    "the count `{count}` of the loss {loss} is not a sum over rows: {whole} for a batch, {left} and {right} for two parts of it; return a total "
    "from counts(batch)",
    "损失 {loss} 的计数 `{count}` 不是按行求和：整批为 {whole}，分成两部分则为 {left} 与 {right}；请让 counts(batch) 返回总数",
)
LOSS_NOT_FINITE = Sentence(
    "the term `{term}` of the loss {loss} is {found} on the first rows, before any training; look for NaN in the inputs, and for a logarithm or "
    "a division in the loss",
    "尚未训练，损失 {loss} 的损失项 `{term}` 在最前几行上就是 {found}；请检查输入中的 NaN，以及损失中的对数与除法",
)
RETURNED_NOT_MEAN = Sentence(
    "the model {model} returns its own loss, but that is a mean neither over rows nor over labels (those of -100 left out); leave `labels` out of "
    "the inputs and name a loss",
    "模型 {model} 自带损失，但它既不是对行、也不是对标签（-100 除外）的均值；请从输入中去掉 `labels`，并指定一个损失",
)
RETURNED_UNCLEAR = Sentence(
    "the model {model} returns its own loss, and the first rows do not show whether it is a mean over {counts}; leave `labels` out of the inputs "
    "and name a loss",
    "模型 {model} 自带损失，但从最前几行看不出它是对哪一种计数取的均值（{counts}）；请从输入中去掉 `labels`，并指定一个损失",
)
RETURNED_UNCHECKED = Sentence(
    "the model returns its own loss, and what that is a mean over was not checked before training; name a loss instead of auto",
    "模型自带损失，而训练前没有检查它是对什么取的均值；请不要用 auto，改为指定一个损失",
)
LABEL_RANGE = Sentence(
    "row {row}: label {value} is outside 0..{high} (and is not {ignored}, which means no label); correct the labels or the number of classes",
    "第 {row} 行：标签 {value} 不在 0..{high} 内（也不是表示“无标签”的 {ignored}）；请修正标签或类别数",
)
TARGET_NOT_FINITE = Sentence(
    "row {row}: the target is {value}; remove the row or fill the value in",
    "第 {row} 行：目标值为 {value}；请删除该行或补上数值",
)
TARGET_NOT_PROBABILITY = Sentence(
    "row {row}: the target {value} is outside 0..1; labels to tell apart by probability are between 0 and 1",
    "第 {row} 行：目标值 {value} 不在 0..1 内；多标签与概率目标必须在 0 与 1 之间",
)
