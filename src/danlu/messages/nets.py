"""Sentences of nets."""

from __future__ import annotations

from danlu.errors import Sentence

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
