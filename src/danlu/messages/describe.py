"""Sentences of recipes: names, files, fields."""

from __future__ import annotations

from danlu.errors import Sentence

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
A_TEXT_LIKE = Sentence("a time like `{like}`", "形如 `{like}` 的时间")
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
WITH_LIMITS = Sentence("{said} ({limits})", "{said}；取值：{limits}")
INIT_HEADER = Sentence(
    "A danlu recipe. Train it: danlu train FILE. Every line may be changed; a line that is taken out has the value it has here.",
    "danlu 配方。训练：danlu train 文件名。每一行都可修改；删去某行即取此处所写的默认值。",
)
