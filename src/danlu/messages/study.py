"""Sentences of studies."""

from __future__ import annotations

from danlu.errors import Sentence

NOT_STACKED = Sentence(
    "recipe {number} cannot be one of many in a program: {part}; leave that out, or say alone=True to run it by itself",
    "第 {number} 个配方无法与其他配方合成一个程序训练：{part}；请去掉该部分，或设 alone=True 让它单独训练",
)
PART_TECHNIQUE = Sentence("the technique {name} works on one run at a time", "技巧 {name} 一次只能作用于一个训练")
PART_PLACEMENT = Sentence("its placement is {name}, not one process", "它的部署方式是 {name}，而不是单进程")
PART_PRECISION = Sentence("its precision is {name}, not fp32 or fp64", "它的精度是 {name}，而不是 fp32 或 fp64")
PART_LOSS = Sentence("the loss {name} runs the model itself", "损失 {name} 自己运行模型")
PART_OPTIMIZER = Sentence(
    "the optimizer {name} is not SGD, Adam, AdamW or Lion as they usually are ({option})",
    "优化器 {name} 不是通常的 SGD、Adam、AdamW 或 Lion（{option}）",
)
PART_MODEL = Sentence("the model {name} has something that cannot be done for many at once ({reason})", "模型 {name} 含有不能批量执行的运算（{reason}）")
PART_STATE = Sentence(
    "the module `{name}` changes its field `{field}` when it runs", "模块 `{name}` 在运行时会改变自己的字段 `{field}`"
)
PART_DIFFERS = Sentence(
    "stacked, its first {what} is {stacked}, and by itself {alone}", "合在一起时它的第一个{what}是 {stacked}，单独训练时是 {alone}"
)
WHAT_LOSS = Sentence("loss", "损失")
WHAT_GRADIENT = Sentence("gradient norm", "梯度范数")
NO_RECIPES = Sentence("there is no recipe to train; name at least one, with at least one seed", "没有可训练的配方；请至少给出一个配方和一个种子")
SWEEP_EMPTY = Sentence("the setting `{name}` has no values; give at least one", "设置 `{name}` 没有取值；请至少给出一个")
SWEEP_ONE = Sentence(
    "the setting `{name}` is {found}; give a list of its values, such as [{found}]", "设置 `{name}` 是 {found}；请给出取值的列表，例如 [{found}]"
)
NO_MEMBER = Sentence(
    "no member has {wanted}; there are {found}", "没有成员满足 {wanted}；现有 {found}"
)
NO_SUCH_METRIC = Sentence("no member has the metric `{metric}`; there are {found}", "没有成员带有指标 `{metric}`；现有 {found}")
SEED_TWICE = Sentence(
    "seed {seed} is there {count} times ({settings}); choose one setting with where(...) first",
    "种子 {seed} 出现了 {count} 次（{settings}）；请先用 where(...) 选定一组设置",
)
STEPS_DIFFER = Sentence(
    "the members were measured at different steps; choose members of one length with where(...) first",
    "各成员的测量步数不同；请先用 where(...) 选出步数相同的成员",
)
