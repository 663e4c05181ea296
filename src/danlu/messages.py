"""Every sentence of the product, in English and Chinese, side by side. (A technique's own sentences live in its file.)

A constant per sentence: the type checker finds a wrong name, a test finds a missing language or placeholder.
"""

from __future__ import annotations

from danlu.errors import Sentence

# ---- the loop -------------------------------------------------------------
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
NO_DENOMINATOR = Sentence(
    "the loss term `{term}` names the denominator `{name}`, but the batch counts only {found}; give the loss a counts(batch) that returns it",
    "损失项 `{term}` 指定了分母 `{name}`，但批次只统计了 {found}；请让损失的 counts(batch) 返回它",
)
NOTHING_TRAINABLE = Sentence(
    "the model has no parameter that requires a gradient, so nothing would be trained; unfreeze some or remove what froze them",
    "模型没有任何需要梯度的参数，什么都不会被训练；请解冻一部分，或去掉冻结它们的设置",
)

# ---- placement ------------------------------------------------------------
NO_DEVICE = Sentence(
    "device=`{wish}` is not on this machine; found: {found}. Set device to one of these, or to auto",
    "本机没有设备 device=`{wish}`；现有：{found}。请把 device 设为其中之一，或设为 auto",
)
LESS_THAN_A_BATCH = Sentence(
    "the training data has {rows} rows, less than one batch of {batch_size}; set batch_size to at most {rows}",
    "训练数据只有 {rows} 行，不足一个批次（{batch_size}）；请把 batch_size 设为不超过 {rows}",
)
ONE_ROW = Sentence(
    "{rows} rows in groups of {batch_size} leave one row over, and BatchNorm ({layer}) cannot be trained on a single row; choose another "
    "batch_size, so that no row is left alone",
    "{rows} 行按每组 {batch_size} 行划分会剩下一行，而 BatchNorm（{layer}）无法只用一行训练；请换一个 batch_size，使最后不会只剩一行",
)
WEIGHT_DIFFERS = Sentence(
    "the saved tensor `{name}` has shape {saved}, the model has {found}; use the model the weights were saved from",
    "保存的张量 `{name}` 形状为 {saved}，模型中为 {found}；请使用保存这些权重时的模型",
)

# ---- nets -----------------------------------------------------------------
NET_FIELD_MISSING = Sentence(
    "the model {model} needs `{field}`, and the data does not say it; set {model}({field}=...)",
    "模型 {model} 需要 `{field}`，而数据没有给出；请写明 {model}({field}=...)",
)
NET_DISAGREES = Sentence(
    "{model}({field}={said}) does not fit the data, which has {found}; remove `{field}` to take it from the data, or choose other data",
    "{model}({field}={said}) 与数据不符：数据为 {found}；请去掉 `{field}`（自动取自数据），或换用别的数据",
)
NET_TOO_SMALL = Sentence(
    "{model}({field}={said}) is too small for the data, which needs {found}; remove `{field}` to take it from the data, or raise it",
    "{model}({field}={said}) 太小，数据至少需要 {found}；请去掉 `{field}`（自动取自数据），或调大它",
)
NET_NEEDS_IMAGES = Sentence(
    "the model {model} takes images of shape (channels, height, width), but a row of the data is {found}; use {instead}",
    "模型 {model} 的输入应为形状 (通道, 高, 宽) 的图像，而数据的一行是 {found}；请改用 {instead}",
)
NET_NEEDS_TOKENS = Sentence(
    "the model {model} takes token ids, but a row of the data is {found}; use {instead}",
    "模型 {model} 的输入应为词元编号，而数据的一行是 {found}；请改用 {instead}",
)
NET_NEEDS_NUMBERS = Sentence(
    "the model {model} takes numbers, but a row of the data is {found}; use {instead}",
    "模型 {model} 的输入应为数值，而数据的一行是 {found}；请改用 {instead}",
)
NET_NEEDS_TABLE = Sentence(
    "the model {model} takes the columns of a table, but a row of the data is {found}; use {instead}",
    "模型 {model} 的输入应为表格的各列，而数据的一行是 {found}；请改用 {instead}",
)
NET_WRONG_TASK = Sentence(
    "the model {model} cannot serve the task `{task}`; it serves {tasks}; use {instead}",
    "模型 {model} 不能用于任务 `{task}`，它适用于 {tasks}；请改用 {instead}",
)
NET_DIVIDES = Sentence(
    "{model}: {whole}={whole_value} must be a multiple of {part}={part_value}; change one of the two",
    "{model}：{whole}={whole_value} 必须是 {part}={part_value} 的整数倍；请修改其中之一",
)
NET_IMAGE_TOO_SMALL = Sentence(
    "the images are {height}x{width} pixels, too small for {model}, which halves them {halvings} times; use fewer stages or larger images",
    "图像只有 {height}x{width} 像素，对 {model} 来说太小（它要减半 {halvings} 次）；请减少级数，或使用更大的图像",
)
DROPOUT_RATE = Sentence(
    "a dropout rate must be at least 0 and below 1; found {rate}",
    "丢弃率必须不小于 0 且小于 1；现在是 {rate}",
)
SEQUENCE_TOO_LONG = Sentence(
    "a sequence of {length} tokens is longer than the model's context of {context}; shorten it, or build the model with context={length}",
    "序列有 {length} 个词元，超过了模型的上下文长度 {context}；请缩短序列，或以 context={length} 构建模型",
)
NOT_A_MODEL = Sentence(
    "`model` must be a model description, an nn.Module, or a class or function that returns one; {given} is {found}",
    "`model` 必须是模型描述、nn.Module，或返回 nn.Module 的类或函数；{given} 却是 {found}",
)
MODEL_PARAMETER = Sentence(
    "{model} has the required parameter `{parameter}`, which cannot be taken from the data; give it a default, or pass a built model. "
    "Known names: {known}",
    "{model} 的必填参数 `{parameter}` 无法从数据得知；请给它一个默认值，或直接传入建好的模型。可识别的名称：{known}",
)
EXTRA_NEEDED = Sentence(
    "{model} needs the package {package}; install it with: pip install 'danlu[{extra}]'",
    "{model} 需要软件包 {package}；请安装：pip install 'danlu[{extra}]'",
)
EXTRA_BROKEN = Sentence(
    "{model} needs the package {package}, which is installed but cannot be imported ({error}); reinstall it: pip install 'danlu[{extra}]'",
    "{model} 需要软件包 {package}；它已安装但无法导入（{error}）；请重新安装：pip install 'danlu[{extra}]'",
)
TIMM_UNKNOWN = Sentence(
    "timm has no model named `{name}`; the nearest is `{near}`; `timm.list_models()` lists them",
    "timm 中没有名为 `{name}` 的模型，最接近的是 `{near}`；可用 `timm.list_models()` 查看全部",
)
TRANSFORMERS_SOURCE = Sentence(
    "set exactly one of `path` and `config` of transformers; found path={path}, config={config}",
    "transformers 的 `path` 与 `config` 必须且只能设置一个；现在是 path={path}, config={config}",
)
TRANSFORMERS_FOLDER = Sentence(
    "transformers(path={path}) must be a folder with config.json (and weights, unless pretrained=false); {found}",
    "transformers(path={path}) 必须是含 config.json 的文件夹（除非 pretrained=false，还需含权重）；{found}",
)
TRANSFORMERS_UNKNOWN = Sentence(
    "transformers has no model type `{config}`; the nearest is `{near}`; examples: llama, gpt2, bert",
    "transformers 没有模型类型 `{config}`，最接近的是 `{near}`；例如：llama、gpt2、bert",
)
TRANSFORMERS_SETTING = Sentence(
    "the transformers configuration `{config}` has no setting `{setting}`; the nearest is `{near}`",
    "transformers 的配置 `{config}` 没有设置项 `{setting}`，最接近的是 `{near}`",
)

# ---- optim ----------------------------------------------------------------
NESTEROV = Sentence(
    "sgd(nesterov=true) needs a momentum above 0 and a dampening of 0; found momentum={momentum}, dampening={dampening}; set momentum=0.9 "
    "and dampening=0, or nesterov=false",
    "sgd(nesterov=true) 要求 momentum 大于 0 且 dampening 为 0；现在是 momentum={momentum}, dampening={dampening}；"
    "请设 momentum=0.9、dampening=0，或设 nesterov=false",
)
NO_FUSED = Sentence(
    "fused=on, but torch has no correct fused {optimizer} for the parameter `{name}` ({dtype} on {device}); set fused=auto",
    "设置了 fused=on，但对参数 `{name}`（{device} 上的 {dtype}），torch 没有正确的 {optimizer} 融合实现；请设 fused=auto",
)
LION_RANGE = Sentence(
    "lion needs lr >= 0, weight_decay >= 0 and both betas in [0, 1); found lr={lr}, weight_decay={weight_decay}, betas={betas}",
    "lion 要求 lr >= 0、weight_decay >= 0，且两个 beta 都在 [0, 1) 内；现在是 lr={lr}, weight_decay={weight_decay}, betas={betas}",
)
WARMUP_TOO_LONG = Sentence(
    "a warm-up of {warmup:g} steps leaves nothing of the {total} steps of the run; set a smaller warmup (below 1 it is a share of the total, "
    "0.05 say), or train for more steps",
    "预热 {warmup:g} 步已占满全部 {total} 步训练；请减小 warmup（小于 1 时表示占总步数的比例，例如 0.05），或增加训练步数",
)

# ---- validation -----------------------------------------------------------
WATCHED_MISSING = Sentence(
    "{technique} watches `{watch}`, which no report has; found: {found}. Watch one of these, or add the metric to the recipe",
    "{technique} 监视的 `{watch}` 不在报告中；现有：{found}。请改为其中之一，或在配方里加上该指标",
)
NO_AVERAGE = Sentence(
    "weights=ema was asked for, but no technique keeps an average; add --with ema, or use weights=raw",
    "指定了 weights=ema，但没有技巧维护滑动平均；请加上 --with ema，或使用 weights=raw",
)

# ---- data -----------------------------------------------------------------
DATA_MISSING = Sentence(
    "the data set {name} is not on this machine, and its files are published nowhere in this form; put them here (or under $DANLU_DATA):\n"
    "{files}",
    "本机没有数据集 {name}，其文件也没有以这种形式公开发布的下载地址；请把文件放到以下位置（或 $DANLU_DATA 下）：\n{files}",
)
DATA_UNREACHABLE = Sentence(
    "the data set {name} is not on this machine, and {url} could not be fetched ({reason}); connect to a network and try again, "
    "or put these files here:\n{files}",
    "本机没有数据集 {name}，且无法下载 {url}（{reason}）；请联网后重试，或把以下文件放到相应位置：\n{files}",
)
DATA_DIFFERS = Sentence(
    "{path} is not the file that was expected: SHA-256 should be {expected}, found {found}; delete it and run again, or put the right file there",
    "{path} 不是预期的文件：SHA-256 应为 {expected}，实际为 {found}；请删除后重新运行，或换成正确的文件",
)
DOWNLOAD_DIFFERS = Sentence(
    "what came from {url} is not the file that was expected: SHA-256 should be {expected}, found {found}; nothing was kept; try again later",
    "从 {url} 下载的内容不是预期的文件：SHA-256 应为 {expected}，实际为 {found}；没有保存任何内容，请稍后再试",
)
DOWNLOAD_TOO_LARGE = Sentence(
    "{url} is larger than the {max_bytes} bytes that are allowed; nothing was kept",
    "{url} 超过了允许的 {max_bytes} 字节；没有保存任何内容",
)
CACHE_NOT_WRITABLE = Sentence(
    "cannot write {path} ({reason}); free some space or make the folder writable",
    "无法写入 {path}（{reason}）；请腾出磁盘空间，或使该文件夹可写",
)
IMAGE_UNREADABLE = Sentence(
    "image {row} of {path} cannot be read ({reason}); replace the file",
    "{path} 中的第 {row} 张图像无法读取（{reason}）；请更换该文件",
)
DATA_FILE_UNREADABLE = Sentence(
    "{path} cannot be read as {kind} ({reason}); replace the file",
    "{path} 无法作为 {kind} 读取（{reason}）；请更换该文件",
)
ROW_WIDTH = Sentence(
    "{path}, row {row}: {found} fields, expected {expected}; correct the row",
    "{path} 第 {row} 行有 {found} 个字段，应为 {expected} 个；请改正这一行",
)
NOT_A_NUMBER = Sentence(
    "column `{column}`, row {row}: `{value}` is not a number; correct it, or leave it empty if it is missing",
    "列 `{column}` 第 {row} 行：`{value}` 不是数值；请改正，若为缺失值请留空",
)
TEXT_TOO_SHORT = Sentence(
    "the {split} text has {tokens} tokens, too few for a window of {length}; it needs at least {least}: use more text or a smaller length",
    "{split} 文本只有 {tokens} 个词元，不够一个长度为 {length} 的窗口，至少需要 {least} 个；请增加文本或减小 length",
)
NO_SOURCE_FILES = Sentence(
    "{folder} holds no Python source files, so there is no corpus to make; use a Python that ships its library as files",
    "{folder} 中没有 Python 源文件，无法生成语料；请使用以文件形式自带标准库的 Python",
)
NOT_DATA = Sentence(
    "`data` must be a data description, a Data, or arrays as (x, y) or ((x, y), (x_val, y_val)); found {found}",
    "`data` 必须是数据描述、Data，或形如 (x, y)、((x, y), (x_val, y_val)) 的数组；现在是 {found}",
)
ROWS_DIFFER = Sentence(
    "{split} has {inputs} rows of inputs but {targets} of targets; give every input one target",
    "{split} 的输入有 {inputs} 行，目标却有 {targets} 行；请让每行输入对应一个目标",
)
DATA_SHAPES_DIFFER = Sentence(
    "validation rows have shape {val}, training rows {train}; bring both to one shape",
    "验证数据每行的形状为 {val}，训练数据为 {train}；请统一形状",
)
EMPTY_SPLIT = Sentence(
    "the {split} data has no rows; give it some, or leave the split out",
    "{split} 数据一行也没有；请提供数据，或去掉这一部分",
)
NOT_FINITE = Sentence(
    "{split} `{part}`, row {row}, column {column}: {value} is not a finite number; remove the row or fill in the value",
    "{split} 的 `{part}` 第 {row} 行、列 {column}：{value} 不是有限的数值；请删除该行或补上数值",
)
LABEL_OUT_OF_RANGE = Sentence(
    "{split} targets, row {row}: the label {value} is outside 0..{last} (there are {classes} classes); correct the label",
    "{split} 的目标第 {row} 行：标签 {value} 不在 0..{last} 之内（共 {classes} 类）；请改正标签",
)
TOKEN_OUT_OF_RANGE = Sentence(
    "{split} `{part}`, row {row}, column {column}: the token id {value} is outside the vocabulary 0..{last}; "
    "encode the text with the tokenizer of the model",
    "{split} 的 `{part}` 第 {row} 行、列 {column}：词元编号 {value} 超出词表 0..{last}；请用与模型一致的分词器重新编码",
)
CATEGORY_OUT_OF_RANGE = Sentence(
    "{split} inputs, row {row}, column {column}: the category {value} is outside 0..{last}; 0 stands for unknown ones",
    "{split} 的输入第 {row} 行、列 {column}：类别编号 {value} 不在 0..{last} 之内；未知类别应记为 0",
)
TARGET_COLUMNS = Sentence(
    "{split} targets have {found} columns, but the data says {expected} outputs; bring the two together",
    "{split} 的目标有 {found} 列，而数据声明的输出数为 {expected}；请使两者一致",
)
WORKER_DIED = Sentence(
    "data worker {worker} of {workers} (process {pid}) ended unexpectedly with exit code {code}; it may have run out of memory: "
    "set workers to a smaller number, or to 0 to fetch rows in the main process",
    "{workers} 个数据进程中的第 {worker} 个（进程号 {pid}）意外退出（退出码 {code}），可能是内存不足；请减小 workers，或设为 0 在主进程中读取",
)

# ---- losses ---------------------------------------------------------------
NO_LOGITS = Sentence(
    "the model returned a {found}; a loss or metric needs a tensor, or an output with `logits`; return one, or write the loss as "
    "f(model, batch)",
    "模型返回的是 {found}；损失与指标需要张量，或带有 `logits` 的输出；请返回其一，或把损失写成 f(model, batch)",
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

# ---- recipes: names, files, fields ----------------------------------------
KINDS = {
    "model": Sentence("model", "模型"),
    "data": Sentence("data set", "数据集"),
    "loss": Sentence("loss", "损失"),
    "metric": Sentence("metric", "指标"),
    "optimizer": Sentence("optimizer", "优化器"),
    "schedule": Sentence("schedule", "学习率调度"),
    "technique": Sentence("technique", "技巧"),
    "placement": Sentence("placement", "放置方式"),
    "recipe": Sentence("recipe", "配方"),
}
THE_RECIPE = Sentence("recipe", "配方")
COMMAND_LINE = Sentence("command line", "命令行")
AT_KEY = Sentence("{where}: `{key}`: {problem}", "{where}：`{key}`：{problem}")
AT_FILE = Sentence("{where}: {problem}", "{where}：{problem}")
DID_YOU_MEAN = Sentence("did you mean `{name}`?", "是不是 `{name}`？")
CHOOSE_FROM = Sentence("choose from: {names}", "可选：{names}")
OTHER_KIND = Sentence("`{name}` is of another kind ({kind}); choose from: {names}", "`{name}` 属于{kind}；可选：{names}")
UNKNOWN_NAME = Sentence("no {kind} is named `{name}`; {hint}", "没有名为 `{name}` 的{kind}；{hint}")
NAME_TWICE = Sentence(
    "the {kind} `{name}` is defined twice, in {first} and in {second}; uninstall one of the two packages",
    "{kind} `{name}` 在 {first} 与 {second} 中重复定义；请卸载其中一个软件包",
)
UNKNOWN_FIELD = Sentence("unknown field; {hint}", "未知字段；{hint}")
NO_FIELDS = Sentence("unknown field; `{owner}` has no fields", "未知字段；`{owner}` 没有任何字段")
MISSING_FIELD = Sentence("`{field}` must be given: {wanted}", "必须给出 `{field}`：{wanted}")
WRONG_TYPE = Sentence("must be {wanted}; found {found}", "应为{wanted}；现在是 {found}")
NUMBER_IN_QUOTES = Sentence("must be {wanted}; found the text {found}; remove the quotes", "应为{wanted}；现在是文本 {found}；请去掉引号")
NOT_WHOLE = Sentence("must be {wanted}; found {found}; write {whole}", "应为{wanted}；现在是 {found}；请写成 {whole}")
OUT_OF_RANGE = Sentence("must be {wanted}; found {found}, which is out of range", "应为{wanted}；现在是 {found}，超出范围")
NOT_A_CHOICE = Sentence("must be one of {choices}; found {found}; {hint}", "应为 {choices} 之一；现在是 {found}；{hint}")
WRONG_LENGTH = Sentence("must be a list of {length} values; found {found}", "应为 {length} 个值的列表；现在有 {found} 个")
A_NUMBER = Sentence("a number", "数值")
A_NUMBER_IN = Sentence("a number x with {range}", "满足 {range} 的数值 x")
A_WHOLE_NUMBER = Sentence("a whole number", "整数")
A_WHOLE_NUMBER_IN = Sentence("a whole number x with {range}", "满足 {range} 的整数 x")
A_TEXT = Sentence("text", "文本")
TRUE_OR_FALSE = Sentence("true or false", "true 或 false")
NULL = Sentence("null", "null")
A_CHOICE = Sentence("one of {choices}", "{choices} 之一")
A_LIST = Sentence("a list, each item {items}", "列表（元素为{items}）")
A_MAPPING = Sentence("a mapping of `field: value`", "形如 `字段: 值` 的映射")
A_NAME = Sentence(
    "the {kind}'s name, or `name: {{field: value}}`, or `file.py:Name`", "{kind}的名称，或 `名称: {{字段: 值}}`，或 `file.py:Name`"
)
A_VALUE = Sentence(
    "a plain value (a number, text, true, false, null, or a list of these)", "普通值（数值、文本、true、false、null，或由它们组成的列表）"
)
OR = Sentence("{first} or {second}", "{first}或{second}")
ONE_NAME = Sentence(
    "write one name with its fields below it; found {found} names: {names} (are the fields indented?)",
    "只能写一个名称，字段写在它下面；现在有 {found} 个名称：{names}（字段是否缩进了？）",
)
CANNOT_MAKE = Sentence("{name} does not accept these values: {error}", "{name} 不接受这些值：{error}")
NOT_A_TECHNIQUE = Sentence(
    "`{target}` is not a technique; a technique is a dataclass that derives from danlu.core.Technique",
    "`{target}` 不是技巧；技巧是继承 danlu.core.Technique 的 dataclass",
)
NO_OPTIONS = Sentence(
    "`{target}` is already made, so it takes no fields; name the class instead", "`{target}` 是已建好的对象，不能再设字段；请改为指定类"
)
NO_DATA_FORM = Sentence(
    "{found} has no written form; describe it by a name, or put it in a file and name it: `file.py:Name`",
    "{found} 无法写成文字；请用名称描述它，或放入文件并写成 `file.py:Name`",
)
NOT_A_RECIPE = Sentence(
    "{target} must be a Recipe, or a function without arguments that returns one; found {found}",
    "{target} 应为 Recipe，或返回 Recipe 的无参函数；现在是 {found}",
)
NOT_A_TARGET = Sentence("`{target}` does not have the form `file.py:Name`", "`{target}` 不是 `file.py:Name` 的形式")
NAME_NOT_IN_FILE = Sentence("{path} has no `{name}`; {hint}", "{path} 中没有 `{name}`；{hint}")
CANNOT_READ = Sentence("cannot read {path}: {error}", "无法读取 {path}：{error}")
FILE_FAILED = Sentence("{path}:{line}: the file failed with {kind}: {error}", "{path}:{line}：运行该文件时出错（{kind}）：{error}")
UNKNOWN_SUFFIX = Sentence("{path}: a recipe file ends in .yaml, .yml or .json", "{path}：配方文件的扩展名应为 .yaml、.yml 或 .json")
FILE_TOO_LARGE = Sentence(
    "{path}: a recipe file has at most {most} bytes; this one has {found}", "{path}：配方文件最多 {most} 字节；此文件有 {found} 字节"
)
NOT_UTF8 = Sentence("{path}:{line}: not UTF-8 text; save the file as UTF-8", "{path}:{line}：不是 UTF-8 文本；请将文件另存为 UTF-8")
SYNTAX = Sentence("not valid {format}: {problem}", "不是合法的 {format}：{problem}")
TAB = Sentence("a tab in the indentation; use spaces", "缩进中有制表符；请改用空格")
EMPTY_RECIPE = Sentence("the file is empty; a recipe has at least `model` and `data`", "文件为空；配方至少要有 `model` 与 `data`")
TOO_DEEP = Sentence("more than {most} levels deep", "嵌套超过 {most} 层")
TOO_MANY = Sentence("more than {most} values", "超过 {most} 个值")
KEY_TWICE = Sentence("written twice, first in line {first}; keep one", "重复出现（首次在第 {first} 行）；请只保留一处")
KEY_NOT_TEXT = Sentence("the key {key} is not text; put it in quotes", "键 {key} 不是文本；请加引号")
NO_TAGS = Sentence(
    "the tag `{tag}` is not allowed; a recipe holds plain values and never runs code",
    "不允许使用标签 `{tag}`；配方只含普通值，从不执行代码",
)
NO_ALIASES = Sentence("`{mark}` (an anchor or alias) is not allowed; write the value out", "不允许使用锚点或别名 `{mark}`；请直接写出值")
ONE_DOCUMENT = Sentence("a second document starts here; a recipe is one", "此处开始了第二个文档；一个配方只能是一个文档")
NUMBER_TOO_LARGE = Sentence("the number {found} is too large; write .inf for infinity", "数值 {found} 过大；无穷大请写 .inf")
NO_EQUALS = Sentence("`{setting}`: write field=value", "`{setting}`：请写成 字段=值")
UNKNOWN_SETTING = Sentence("the recipe has nothing of that name; {hint}", "配方中没有这个名称；{hint}")
NOT_IN_LIST = Sentence("the recipe has no technique `{name}`; add it: --with {name}", "配方中没有技巧 `{name}`；可用 --with {name} 加入")
NOT_REMOVABLE = Sentence(
    "the recipe has no technique `{name}` to leave out; its techniques are: {names}", "配方中没有可去掉的技巧 `{name}`；现有技巧：{names}"
)
WHICH_ONE = Sentence(
    "the recipe has {count} of them; say which, from 0: `{example}`", "配方中有 {count} 个；请指明第几个（从 0 数）：`{example}`"
)
NOT_CHOSEN = Sentence("the recipe names no {kind}; name one as well: {field}=NAME", "配方没有指定{kind}；请同时指定：{field}=名称")
NOT_SETTABLE = Sentence(
    "{found} is a Python object without fields to set; change it where it is made", "{found} 是没有可设字段的 Python 对象；请在创建处修改"
)
BAD_CALL = Sentence("`{call}` cannot be read; write it like mixup(alpha=0.2)", "无法读懂 `{call}`；请写成 mixup(alpha=0.2) 的形式")
TOO_MANY_POSITIONS = Sentence(
    "{name} takes at most {most} values in order; name the fields: {fields}", "{name} 最多按顺序接受 {most} 个值；请写出字段名：{fields}"
)
INIT_HEADER = Sentence(
    "A danlu recipe. Train it: danlu train FILE. Every line may be changed; a line that is taken out has the value it has here.",
    "danlu 配方。训练：danlu train 文件名。每一行都可修改；删去某行即取此处所写的默认值。",
)

# ---- metrics --------------------------------------------------------------
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

# ---- the run folder -------------------------------------------------------
CANNOT_SAVE = Sentence(
    "cannot save `{path}`: it is {kind}; what survives a restart must be plain values (numbers, text, None, dicts, lists, tuples) or dense tensors",
    "无法保存 `{path}`：它是 {kind}；需要保存的状态只能是普通值（数、文本、None、字典、列表、元组）或稠密张量",
)
CHECKPOINT_BROKEN = Sentence("the checkpoint {folder} is not whole: {file} {what}", "检查点 {folder} 不完整：{file} {what}")
FILE_OF_STEP = Sentence("belongs to step {step}", "属于第 {step} 步")
FILE_NOT_PLAIN = Sentence("is not a plain file", "不是普通文件")
FILE_UNREADABLE = Sentence("cannot be read ({reason})", "无法读取（{reason}）")
FILE_SIZE = Sentence("has {found} bytes instead of {size}", "有 {found} 字节，应为 {size} 字节")
FILE_CHANGED = Sentence("was changed after it was written (its digest differs)", "写入后被改动（摘要不符）")
CHECKPOINT_NEWER = Sentence(
    "the checkpoint {folder} has format {found}, this danlu reads up to {known}; update danlu (it was written by danlu {danlu})",
    "检查点 {folder} 的格式为 {found}，当前 danlu 最高支持 {known}；请升级 danlu（写入它的是 danlu {danlu}）",
)
CHECKPOINT_UNREADABLE = Sentence(
    "the checkpoint {folder} cannot be understood: {file} ({found}); update danlu, or start again in a new folder",
    "无法理解检查点 {folder}：{file}（{found}）；请升级 danlu，或在新文件夹中重新训练",
)
NO_VALID_CHECKPOINT = Sentence(
    "no checkpoint in {folder} is whole: {reasons}; restore one from a copy, or train in a new folder with --out",
    "{folder} 中没有完整的检查点：{reasons}；请从备份恢复，或用 --out 在新文件夹中训练",
)
PASSED_OVER = Sentence("{reason}; using {folder} instead", "{reason}；改用 {folder}")
RUN_NO_SPACE = Sentence(
    "the disk is full: saving to {folder} needs {needed} bytes and {free} are free; make room and run the same command again; "
    "what was saved before is whole",
    "磁盘已满：保存到 {folder} 需要 {needed} 字节，只剩 {free} 字节；请腾出空间后重新运行同一命令；之前保存的内容完好",
)
RUN_CANNOT_WRITE = Sentence(
    "cannot write to {folder} ({reason}); make it writable, or choose another folder with --out; what was saved before is whole",
    "无法写入 {folder}（{reason}）；请设为可写，或用 --out 选择其他文件夹；之前保存的内容完好",
)
RUN_BUSY = Sentence(
    "the run folder {folder} is in use by process {pid} on {host} since {since}; wait for it, stop it, or choose another folder with --out",
    "运行文件夹 {folder} 正被 {host} 上的进程 {pid} 使用（始于 {since}）；请等待、停止它，或用 --out 选择其他文件夹",
)
NO_LOCKS = Sentence(
    "the file system of {folder} cannot lock files ({reason}), so two runs could write there at once; choose a local folder with --out",
    "{folder} 所在的文件系统不支持文件锁（{reason}），两次训练可能同时写入；请用 --out 选择本地文件夹",
)
NOT_A_RUN = Sentence(
    "{folder} holds other files and is no run folder; nothing was written; choose an empty or new folder with --out",
    "{folder} 中有其他文件，不是运行文件夹；未写入任何内容；请用 --out 选择空的或新的文件夹",
)
NO_RUN_THERE = Sentence(
    "there is no run in {folder} (no {file}); name a folder that danlu train made",
    "{folder} 中没有训练记录（缺少 {file}）；请给出 danlu train 生成的文件夹",
)
OTHER_RECIPE = Sentence(
    "{folder} holds a run of another recipe; nothing was written. It differs in:\n{difference}\nset these back to go on with it, or choose another "
    "folder with --out",
    "{folder} 中是另一个配方的训练；未写入任何内容。不同之处：\n{difference}\n改回这些值即可继续训练，或用 --out 选择其他文件夹",
)
OTHER_DATA = Sentence(
    "the data is not what the run in {folder} was trained on so far:\n{difference}\nrestore the data, or train in a new folder with --out",
    "数据与 {folder} 中已训练部分所用的不同：\n{difference}\n请恢复数据，或用 --out 在新文件夹中训练",
)
DIFFERENCE = Sentence("  {field}: {old} (in the run) -> {new} (now)", "  {field}：{old}（原来）-> {new}（现在）")
ABSENT = Sentence("absent", "无")
STEP_OF = Sentence("step {step}/{total}", "第 {step}/{total} 步")
EPOCH = Sentence("epoch {epoch}", "第 {epoch} 轮")
STEPS_A_SECOND = Sentence("{rate} steps/s", "{rate} 步/秒")
TIME_LEFT = Sentence("left {time}", "剩余 {time}")
TRAINING_IN = Sentence("training in {folder}", "训练写入 {folder}")
CONTINUING = Sentence("continuing at step {step} of {total} in {folder}", "从第 {step} 步（共 {total} 步）继续，位于 {folder}")
STEP_SKIPPED = Sentence(
    "step {step}: the gradient is not finite, so the step moved nothing ({count} such steps so far)",
    "第 {step} 步：梯度不是有限值，该步未更新任何参数（至今共 {count} 步）",
)
DIVERGED_RUN = Sentence(
    "stopped at step {step}: {count} steps in a row had no finite gradient; lower the learning rate, add --with clip, or use precision=fp32; "
    "see {folder}/events.jsonl",
    "在第 {step} 步停止：连续 {count} 步梯度都不是有限值；请降低学习率、加上 --with clip，或用 precision=fp32；详见 {folder}/events.jsonl",
)
STOPPED = Sentence(
    "{signal}: stopped after step {step} of {total} and saved; go on with: danlu resume {folder}",
    "收到 {signal}：已在第 {step} 步（共 {total} 步）后停止并保存；继续训练：danlu resume {folder}",
)
FINISHED = Sentence("finished after {step} steps  {metrics}  report: {page}", "训练完成，共 {step} 步  {metrics}  报告：{page}")
FINISHED_BEFORE = Sentence(
    "this run was finished at step {step}; nothing to do in {folder}", "该训练已在第 {step} 步完成；{folder} 中无需再做什么"
)
RUN_FILE_UNREADABLE = Sentence(
    "{file} cannot be read ({reason}); restore it from a copy, or train in a new folder with --out",
    "无法读取 {file}（{reason}）；请从备份恢复，或用 --out 在新文件夹中训练",
)

# ---- the command line -----------------------------------------------------
USAGE = Sentence("usage: ", "用法：")
WHAT_DANLU_IS = Sentence(
    "danlu trains models: every technique in one loop, one line of a recipe each.",
    "丹炉：训练系统兼训练库，所有技巧都在同一个循环里，在配方中各占一行。",
)
THE_COMMANDS = Sentence("commands (danlu COMMAND --help tells more):", "命令（danlu COMMAND --help 查看详情）：")
THE_COMMON_FLAGS = Sentence("with every command:", "每个命令都可用：")
THE_EXIT_CODES = Sentence("exit codes:", "退出码：")
OVERVIEW_EXAMPLES = Sentence(
    "to begin:\n  danlu list recipe\n  danlu train digits\n  danlu train digits optimizer.lr=3e-4 --with ema",
    "入门：\n  danlu list recipe\n  danlu train digits\n  danlu train digits optimizer.lr=3e-4 --with ema",
)
CODE_DONE = Sentence("done", "完成")
CODE_BUG = Sentence(
    "an error of danlu's own, or in your Python; the traceback is kept in a file", "danlu 自身或你的 Python 代码出错；错误详情已存入文件"
)
CODE_BAD_INPUT = Sentence(
    "the recipe, the data or the command line must be changed; nothing was written over", "需要修改配方、数据或命令行；没有覆盖任何文件"
)
CODE_REFUSED = Sentence(
    "a combination that could not train correctly; the sentence says what to do instead", "这种组合无法正确训练；提示中有替代办法"
)
CODE_BUSY = Sentence("the run folder is in use by another process", "运行文件夹正被另一个进程使用")
CODE_DIVERGED = Sentence("training stopped because numbers were no longer finite", "数值不再有限（发散），训练已停止")
CODE_NO_SPACE = Sentence("the disk is full or cannot be written; what was saved before is whole", "磁盘已满或不可写；之前保存的内容完好")
CODE_SAVED = Sentence(
    "stopped by Ctrl-C or a signal, and saved: run the same command again to go on",
    "被 Ctrl-C 或信号中止，已保存：再次运行同一命令即可继续",
)
CODE_INTERRUPTED = Sentence("stopped by Ctrl-C before there was anything to save", "被 Ctrl-C 中止，此时还没有可保存的内容")
FLAG_LANG = Sentence(
    "speak English or Chinese (else $DANLU_LANG, else the system's language)", "使用英文或中文（默认看 $DANLU_LANG，再看系统语言）"
)
FLAG_DEBUG = Sentence("show the traceback of an error", "出错时显示完整的调用栈")
FLAG_HELP = Sentence("show this help", "显示本帮助")
FLAG_JSON = Sentence("print JSON instead, with English keys", "改为输出 JSON（键为英文）")
FLAG_SEAM = Sentence(
    "only techniques at this seam: model, stream, objective, gradient, update, reports",
    "只看这一接缝处的技巧：model、stream、objective、gradient、update、reports",
)
FLAG_ROW = Sentence("only what serves this row of the scope, such as 2.10", "只看对应范围表中这一行的条目，例如 2.10")
FLAG_WITH = Sentence(
    "add a technique, innermost: mixup, 'mixup(alpha=0.2)', my.py:Trick",
    "加入一个技巧（放在最内层）：mixup、'mixup(alpha=0.2)'、my.py:Trick",
)
FLAG_WITHOUT = Sentence("leave a technique of the recipe out", "去掉配方中的一个技巧")
FLAG_INIT_OUT = Sentence("write this new file instead of printing", "写入这个新文件，而不是打印出来")
FLAG_YAML = Sentence("print the resolved recipe, every field, as YAML", "以 YAML 打印解析后的完整配方")
FLAG_OUT = Sentence(
    "the run folder (else a new runs/RECIPE-DATE-N); one with the same recipe is gone on with",
    "运行文件夹（默认新建 runs/配方-日期-序号）；若其中是同一配方，则接着训练",
)
FLAG_TRAIN_JSON = Sentence("print one JSON object at the end and nothing else", "只在结束时打印一个 JSON 对象")
FLAG_QUIET = Sentence("show no progress", "不显示进度")
FLAG_METRIC = Sentence("what to plot, such as loss, val_accuracy, lr (may be repeated)", "画哪个量，例如 loss、val_accuracy、lr（可重复）")
FLAG_PLOT_OUT = Sentence("the picture: FILE.png or FILE.svg", "图片文件：FILE.png 或 FILE.svg")
FLAG_TERMINAL = Sentence("draw in the terminal, which is also done without --out", "直接画在终端里；没有 --out 时也是如此")
FLAG_SCHEDULE = Sentence("plot a recipe's learning rate instead, without training it", "改画配方的学习率曲线，不做训练")
ABOUT_TRAIN = Sentence("train a recipe", "训练一个配方")
ABOUT_RESUME = Sentence("go on with a run", "接着训练某次运行")
ABOUT_EXPLAIN = Sentence("say what a recipe does, and what a step of it takes, in seven lines", "用七行说明配方做什么、每步需要多少资源")
ABOUT_INIT = Sentence(
    "print a recipe as YAML with a comment for each field, to start your own from", "把配方打印成带注释的 YAML，作为自己配方的起点"
)
ABOUT_LIST = Sentence("list every name that a recipe may use", "列出配方中可用的所有名称")
ABOUT_SHOW = Sentence("show what a name is: its fields, ranges, defaults, source", "查看某个名称：字段、取值范围、默认值、出处")
ABOUT_PLOT = Sentence("plot runs over one another, as PNG, SVG or in the terminal", "把多次运行画在一张图上：PNG、SVG 或终端")
ABOUT_REPORT = Sentence("write a run's report.html anew", "重新生成某次运行的 report.html")
ABOUT_DOCTOR = Sentence(
    "look at this machine: Python, torch, devices, extras, data sets", "检查本机：Python、torch、设备、可选组件、数据集"
)
ABOUT_SCHEMA = Sentence("print the JSON Schema of recipe files, for editors", "打印配方文件的 JSON Schema，供编辑器使用")
QUOTING = Sentence(
    "RECIPE is a name (danlu list recipe), a file (my.yaml, my.json), or a function in a file (my.py:recipe).\n"
    "field=value sets a field of it: optimizer.lr=1e-3, mixup.alpha=0.2, optimizer=lion, epochs=5.\n"
    "Quote what holds brackets, blanks or commas:\n"
    "  bash, PowerShell:  --with 'mixup(alpha=0.2)' 'metrics=[accuracy, f1]'\n"
    '  cmd:               --with "mixup(alpha=0.2)" "metrics=[accuracy, f1]"',
    "RECIPE 可以是名称（danlu list recipe）、文件（my.yaml、my.json），或文件中的函数（my.py:recipe）。\n"
    "field=value 设置其中的字段：optimizer.lr=1e-3、mixup.alpha=0.2、optimizer=lion、epochs=5。\n"
    "含括号、空格或逗号时请加引号：\n"
    "  bash、PowerShell：  --with 'mixup(alpha=0.2)' 'metrics=[accuracy, f1]'\n"
    '  cmd：               --with "mixup(alpha=0.2)" "metrics=[accuracy, f1]"',
)
MORE_LIST = Sentence(
    "KIND is one of: recipe, model, data, loss, metric, optimizer, schedule, technique, placement (or a seam).",
    "KIND 可以是：recipe、model、data、loss、metric、optimizer、schedule、technique、placement（或某个接缝）。",
)
MORE_SHOW = Sentence(
    "Example: danlu show mixup; danlu show technique; danlu show --row 2.10",
    "例如：danlu show mixup；danlu show technique；danlu show --row 2.10",
)
MORE_RESUME = Sentence("RUN is a folder that danlu train made.", "RUN 是 danlu train 生成的文件夹。")
MORE_PLOT = Sentence(
    "Example: danlu plot runs/a runs/b --metric val_loss --out compare.png; danlu plot --schedule digits --terminal",
    "例如：danlu plot runs/a runs/b --metric val_loss --out compare.png；danlu plot --schedule digits --terminal",
)
MORE_SCHEMA = Sentence(
    "Keep it beside your recipes (danlu schema > danlu.describe.schema.json) and write in the first line of a recipe:\n"
    "  # yaml-language-server: $schema=danlu.describe.schema.json",
    "把它存在配方旁边（danlu schema > danlu.describe.schema.json），并在配方的第一行写上：\n  # yaml-language-server: $schema=danlu.describe.schema.json",
)
UNKNOWN_COMMAND = Sentence("there is no command `{name}`; {hint}", "没有命令 `{name}`；{hint}")
UNKNOWN_FLAG = Sentence("{command} has no flag `{flag}`; {hint}", "{command} 没有参数 `{flag}`；{hint}")
FIELDS_WITHOUT_DASHES = Sentence("fields of the recipe are set without dashes: {setting}=VALUE", "设置配方字段时不加横线：{setting}=值")
FLAG_NEEDS_VALUE = Sentence("`{flag}` needs a value: {flag} {value}", "`{flag}` 需要一个值：{flag} {value}")
FLAG_TAKES_NO_VALUE = Sentence("`{flag}` takes no value; found `{found}`", "`{flag}` 不带值；现在是 `{found}`")
MISSING_WORD = Sentence("danlu {name} needs {word}; see danlu {name} --help", "danlu {name} 需要 {word}；见 danlu {name} --help")
TOO_MANY_WORDS = Sentence("`{found}` is one word too many; see danlu {name} --help", "`{found}` 是多余的；见 danlu {name} --help")
UNKNOWN_LANGUAGE = Sentence("--lang is en or zh; found `{found}`", "--lang 只能是 en 或 zh；现在是 `{found}`")
UNKNOWN_SEAM = Sentence("there is no seam `{seam}`; {hint}", "没有接缝 `{seam}`；{hint}")
UNKNOWN_ROW = Sentence("nothing serves the row `{row}`; rows that something serves: {rows}", "没有条目对应 `{row}` 行；有条目的行：{rows}")
UNKNOWN_ANYTHING = Sentence("nothing is named `{word}`; {hint}", "没有名为 `{word}` 的条目；{hint}")
NOT_TOGETHER = Sentence("{first} and {second} cannot be had together; leave one out", "{first} 与 {second} 不能同时使用；请去掉一个")
FILE_EXISTS = Sentence(
    "{path} is there already, and nothing is written over; choose another name", "{path} 已存在，不会被覆盖；请换一个文件名"
)
PLOT_FLAG = Sentence(
    "`{flag}` has nothing to act on here: --metric is for runs, --with and --without are for --schedule; leave it out",
    "`{flag}` 在此不起作用：--metric 用于运行，--with 与 --without 用于 --schedule；请去掉它",
)
CANNOT_WRITE = Sentence("cannot write {path}: {error}", "无法写入 {path}：{error}")
WRITTEN = Sentence("written: {path}", "已写入：{path}")
INTERRUPTED = Sentence("stopped; there was nothing to save yet", "已中止；此时还没有可保存的内容")
UNEXPECTED = Sentence(
    "danlu met an error it does not know: {error}. The traceback is in {path}; --debug shows it here",
    "danlu 遇到了未知错误：{error}。调用栈已存入 {path}；加 --debug 可直接显示",
)
UNEXPECTED_SHOWN = Sentence(
    "danlu met an error it does not know: {error}; its traceback is above", "danlu 遇到了未知错误：{error}；调用栈见上"
)
SEAM_WORDS = {
    "model": Sentence("model", "模型"),
    "stream": Sentence("stream", "数据流"),
    "objective": Sentence("objective", "目标"),
    "gradient": Sentence("gradient", "梯度"),
    "update": Sentence("update", "更新"),
    "reports": Sentence("reports", "报告"),
    "placement": Sentence("placement", "放置"),
}
SEE_LIST = Sentence("danlu list shows what there is", "danlu list 可查看全部条目")
LIST_NEXT = Sentence("danlu show NAME tells more about one of them", "danlu show 名称 查看其中一项的详情")
SCOPE_ROWS = Sentence("scope {rows}", "范围 {rows}")
SHOW_USE = Sentence("use it", "用法")
SHOW_SOURCE = Sentence("source", "源码")

# ---- explain --------------------------------------------------------------
EXPLAIN_COMMA = Sentence("; ", "；")
EXPLAIN_PARAMETERS = Sentence("{parameters} parameters, {trainable} of them trained", "参数 {parameters} 个，其中训练 {trainable} 个")
EXPLAIN_ALL_TRAINABLE = Sentence("{parameters} parameters, all trained", "参数 {parameters} 个，全部参与训练")
EXPLAIN_FLOPS = Sentence("{flops}FLOP for forward and backward over a batch", "一个批次前向与反向共 {flops}FLOP")
EXPLAIN_ROWS = Sentence("{rows} rows", "行数 {rows}")
EXPLAIN_TASK = Sentence("{task}: a row of {shape} -> {outputs}", "任务 {task}：每行 {shape} -> {outputs}")
EXPLAIN_BATCH = Sentence("batches of {size}, {steps} steps an epoch", "批大小 {size}，每轮 {steps} 步")
EXPLAIN_MICRO = Sentence(", each as {count} micro-batches of up to {size}", "，每批拆成 {count} 个至多 {size} 行的微批")
EXPLAIN_TERMS = Sentence("sum / denominator: {terms}", "总和 / 分母：{terms}")
EXPLAIN_OVER_BATCH = Sentence("taken over the whole batch, which is never split", "针对整个批次，从不拆分")
EXPLAIN_BACKWARD_ONE = Sentence("forward and backward over the whole batch", "对整个批次做前向与反向")
EXPLAIN_BACKWARD = Sentence(
    "forward and backward over {count} micro-batches, added up, divided once", "对 {count} 个微批做前向与反向，累加后只除一次"
)
EXPLAIN_SCALED = Sentence("the loss is scaled for fp16", "fp16 下对损失做缩放")
EXPLAIN_GUARD = Sentence("a step that is not finite moves nothing", "梯度非有限的步不更新任何参数")
EXPLAIN_CONSTANT = Sentence("lr {lr}, constant", "学习率恒为 {lr}")
EXPLAIN_GROUP = Sentence(
    "{name}: {parameters} in {tensors} tensors, weight decay {decay}", "{name}：{tensors} 个张量共 {parameters} 个参数，权重衰减 {decay}"
)
EXPLAIN_LENGTH = Sentence("{steps} steps = {epochs} epochs", "{steps} 步 = {epochs} 轮")
EXPLAIN_METRICS = Sentence("measured: loss, {metrics}", "评估：loss, {metrics}")
EXPLAIN_PLACE = Sentence(
    "{placement}: {processes} process on {device} in {precision} runs all of it",
    "{placement}：全部在 {device} 上以 {precision} 运行，{processes} 个进程",
)
EXPLAIN_MEMORY = Sentence("about {total} a step: {parts}", "每步约 {total}：{parts}")
MEMORY_WORDS = {
    "weights": Sentence("weights {bytes}", "权重 {bytes}"),
    "gradients": Sentence("gradients {bytes}", "梯度 {bytes}"),
    "optimizer": Sentence("optimiser {bytes}", "优化器 {bytes}"),
    "techniques": Sentence("techniques {bytes}", "技巧 {bytes}"),
    "batch": Sentence("micro-batch {bytes}", "微批 {bytes}"),
    "activations": Sentence("activations {bytes}", "激活 {bytes}"),
}
EXPLAIN_HOW = Sentence(
    "a > b: a is around b. Memory is counted on one micro-batch that was taken through a step of a run that was then thrown away: what "
    "backward keeps (activations), and the tensors of the rest; what the libraries allocate themselves is not in it.",
    "a > b 表示 a 包在 b 外面。内存是用一个微批实际走一步后统计的（该运行随即丢弃）：激活为反向所保存的张量，其余按张量大小计；不含底层库自身的分配。",
)
ROWS_A_SECOND = Sentence("{rate} rows/s", "{rate} 行/秒")
RESULT_TEST = Sentence("test", "测试")
RESULT_BEST = Sentence("best", "最佳")
RESULT_BEST_STEP = Sentence("step {step}  {figures}", "第 {step} 步  {figures}")
RESULT_RUN = Sentence("run", "运行")
RESULT_REPORT = Sentence("report", "报告")
RESULT_PICTURE = Sentence("picture", "曲线图")
RESULT_NEXT = Sentence("next", "接下来")

# ---- the report page ------------------------------------------------------
PAGE_FINISHED = Sentence("finished", "已完成")
PAGE_STOPPED = Sentence("stopped, can go on", "已停止，可继续")
PAGE_FAILED = Sentence("failed", "失败")
PAGE_RUNNING = Sentence("not finished", "未完成")
PAGE_STARTED = Sentence("started {time} on {host}", "{time} 始于 {host}")
PAGE_RESULT = Sentence("Result", "结果")
PAGE_CURVES = Sentence("Curves", "曲线")
PAGE_RECIPE = Sentence("Recipe", "配方")
PAGE_DATA = Sentence("Data", "数据")
PAGE_MACHINE = Sentence("Code and machine", "代码与机器")
PAGE_EVENTS = Sentence("Events", "事件")
PAGE_NEXT = Sentence("What next", "接下来")
PAGE_TEST_NOTE = Sentence(
    "The test rows were read once, at the end, with the weights of step {step}, which validation chose.",
    "测试集只在最后读取一次，所用权重来自第 {step} 步（由验证集选出）。",
)
PAGE_TEST_LAST = Sentence(
    "The test rows were read once, at the end, with the last weights.", "测试集只在最后读取一次，使用最后一步的权重。"
)
PAGE_STEPS = Sentence("steps", "步数")
PAGE_BEST_STEP = Sentence("best step", "最佳步")
PAGE_TIME = Sentence("training time", "训练用时")
PAGE_PARAMETERS = Sentence("parameters", "参数量")
PAGE_SKIPPED = Sentence("steps skipped (not finite)", "跳过的步数（非有限值）")
PAGE_LAST = Sentence("{name}, last", "{name}（最后）")
PAGE_AT_BEST = Sentence("{name}, best step", "{name}（最佳步）")
PAGE_STEP = Sentence("step", "步")
PAGE_LOSS = Sentence("Loss", "损失")
PAGE_RATE = Sentence("Learning rate", "学习率")
PAGE_SPEED = Sentence("Rows a second", "每秒行数")
PAGE_METRIC = Sentence("{name} (validation)", "{name}（验证集）")
PAGE_BEST_MARK = Sentence("Dashed: the best step.", "虚线：最佳步。")
PAGE_BAD_MARK = Sentence("Red: steps whose gradient was not finite.", "红色：梯度非有限值的步。")
PAGE_NO_CURVES = Sentence("No step has been logged yet.", "尚未记录任何一步。")
PAGE_WHEN = Sentence("time", "时间")
PAGE_EVENT = Sentence("event", "事件")
PAGE_DETAIL = Sentence("detail", "详情")
PAGE_MORE = Sentence("{count} earlier events are in events.jsonl.", "更早的 {count} 个事件见 events.jsonl。")
PAGE_GO_ON = Sentence("Go on with this run, or see that it is finished", "继续训练，或确认它已完成")
PAGE_COMPARE = Sentence("Draw it beside other runs", "与其他训练画在一起")
PAGE_AGAIN = Sentence("Train the same recipe again, in a new folder", "在新文件夹中用同一配方重新训练")
PAGE_WEIGHTS = Sentence("Use the weights in Python", "在 Python 中使用权重")
PAGE_TASK = Sentence("task", "任务")
PAGE_ROWS = Sentence("rows: train / validation / test", "行数：训练 / 验证 / 测试")
PAGE_SHAPE = Sentence("shape of a row", "每行形状")
PAGE_OUTPUTS = Sentence("outputs", "输出数")
PAGE_LABELS = Sentence("labels", "类别")
PAGE_FINGERPRINT = Sentence("fingerprint", "指纹")
PAGE_CODE = Sentence("code", "代码")
PAGE_COMMAND = Sentence("command", "命令")
PAGE_DEVICE = Sentence("device", "设备")
PAGE_CPU = Sentence("processor", "处理器")
PAGE_SYSTEM = Sentence("system", "系统")
PAGE_PACKAGES = Sentence("packages", "软件包")
PAGE_SEED = Sentence("seed", "随机种子")
PAGE_STARTS = Sentence("starts", "启动次数")
PAGE_SOURCES = Sentence("your files", "你的文件")
PAGE_CHANGED = Sentence("{commit}, with changes", "{commit}，有改动")
PLOT_NO_METRIC = Sentence("no run has logged `{metric}`; found: {found}", "没有运行记录过 `{metric}`；现有：{found}")
PLOT_NOTHING = Sentence("nothing has been logged yet by: {runs}", "以下运行尚无任何记录：{runs}")
PLOT_SUFFIX = Sentence("{path}: a picture ends in .png or .svg", "{path}：图片文件的扩展名应为 .png 或 .svg")
PLOT_NO_FONT = Sentence(
    "no font on this machine has Chinese, so the picture is in English; install one, such as Noto Sans CJK",
    "本机没有中文字体，图片改用英文；可安装例如 Noto Sans CJK",
)
EVENT_START = Sentence("started", "开始")
EVENT_CONTINUE = Sentence("continued", "继续")
EVENT_CHECKPOINT = Sentence("checkpoint saved", "保存检查点")
EVENT_BEST = Sentence("checkpoint saved: best so far", "保存检查点：目前最佳")
EVENT_NONFINITE = Sentence("gradient not finite, step skipped", "梯度非有限值，跳过该步")
EVENT_STOPPED = Sentence("stopped by a signal, saved", "收到信号，已保存并停止")
EVENT_PASSED_OVER = Sentence("a broken checkpoint was passed over", "跳过损坏的检查点")
EVENT_FAILED = Sentence("failed", "失败")
EVENT_DONE = Sentence("finished", "完成")

# ---- doctor ---------------------------------------------------------------
DOCTOR_MACHINE = Sentence("machine", "机器")
DOCTOR_SYSTEM = Sentence("system", "系统")
DOCTOR_CORES = Sentence("cores", "核心数")
DOCTOR_MEMORY = Sentence("memory", "内存")
DOCTOR_TORCH = Sentence("torch and devices", "torch 与设备")
DOCTOR_THREADS = Sentence("{threads} threads", "{threads} 个线程")
DOCTOR_ACCELERATOR = Sentence("accelerator", "加速器")
DOCTOR_NONE = Sentence("none", "无")
DOCTOR_PACKAGES = Sentence("packages [extra]", "软件包 [可选组件]")
DOCTOR_MISSING = Sentence("missing; when needed: {install}", "未安装；需要时运行：{install}")
DOCTOR_DATA = Sentence("data sets", "数据集")
DOCTOR_NOT_SET = Sentence("not set", "未设置")
DOCTOR_CACHE = Sentence("cache", "缓存")
DOCTOR_BUNDLED = Sentence("there: made from what is installed", "可用：取自已安装的软件")
DOCTOR_FETCHED = Sentence("not here; fetched when first used", "本机没有；首次使用时下载")
DOCTOR_BY_HAND = Sentence(
    "not here; the recipe that wants it says which files to put where", "本机没有；用到它的配方会说明把哪些文件放到哪里"
)
DOCTOR_SURROUNDINGS = Sentence("surroundings", "环境")
DOCTOR_LANGUAGE = Sentence("language", "语言")
DOCTOR_TERMINAL = Sentence("terminal", "终端")
DOCTOR_NO_TERMINAL = Sentence("none: plain lines instead of a bar", "不是终端：用纯文本行代替进度条")
DOCTOR_DISK = Sentence("free here", "当前目录可用空间")
DOCTOR_TEMPORARY = Sentence("free, temporary", "临时目录可用空间")
DOCTOR_FONT = Sentence("Chinese in plots", "图中中文字体")
DOCTOR_NO_FONT = Sentence("no font found; install one, such as Noto Sans CJK", "没有找到字体；请安装一种，例如 Noto Sans CJK")
