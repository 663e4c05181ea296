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
PART_MODEL = Sentence(
    "the model {name} has something that cannot be done for many at once ({reason})", "模型 {name} 含有不能批量执行的运算（{reason}）"
)
PART_STATE = Sentence("the module `{name}` changes its field `{field}` when it runs", "模块 `{name}` 在运行时会改变自己的字段 `{field}`")
PART_DIFFERS = Sentence(
    "stacked, its first {what} is {stacked}, and by itself {alone}", "合在一起时它的第一个{what}是 {stacked}，单独训练时是 {alone}"
)
WHAT_LOSS = Sentence("loss", "损失")
WHAT_GRADIENT = Sentence("gradient norm", "梯度范数")
NO_RECIPES = Sentence(
    "there is no recipe to train; name at least one, with at least one seed", "没有可训练的配方；请至少给出一个配方和一个种子"
)
SWEEP_EMPTY = Sentence("the setting `{name}` has no values; give at least one", "设置 `{name}` 没有取值；请至少给出一个")
SWEEP_ONE = Sentence(
    "the setting `{name}` is {found}; give a list of its values, such as [{found}]",
    "设置 `{name}` 是 {found}；请给出取值的列表，例如 [{found}]",
)
NO_MEMBER = Sentence("no member has {wanted}; there are {found}", "没有成员满足 {wanted}；现有 {found}")
NO_SUCH_METRIC = Sentence("no member has the metric `{metric}`; there are {found}", "没有成员带有指标 `{metric}`；现有 {found}")
SEED_TWICE = Sentence(
    "seed {seed} is there {count} times ({settings}); choose one setting with where(...) first",
    "种子 {seed} 出现了 {count} 次（{settings}）；请先用 where(...) 选定一组设置",
)
STEPS_DIFFER = Sentence(
    "the members were measured at different steps; choose members of one length with where(...) first",
    "各成员的测量步数不同；请先用 where(...) 选出步数相同的成员",
)
NO_CLAIMS = Sentence(
    "claims are a mapping from an id to a claim with statement, metric, a, b, relation, effect and regime",
    "claims 应是从 id 到主张的映射，每个主张含 statement、metric、a、b、relation、effect 与 regime",
)
SAME_ARM = Sentence("`a` and `b` are both {arm}; name two arms", "`a` 与 `b` 都是 {arm}；请写两组不同的设置")
EQUAL_WITHIN = Sentence(
    "nothing is shown to be equal exactly; set the difference that would not matter, such as 0.005",
    "无法证明完全相等；请设一个无关紧要的差值，例如 0.005",
)
NO_SUCH_VALUE = Sentence("there is no measured value `{key}`; {hint}", "没有名为 `{key}` 的测量值；{hint}")
SEEDS_DIFFER = Sentence(
    "claim {claim}: {a} and {b} were not measured with the same seeds (only one of them has {seeds}); measure both with all of them",
    "主张 {claim}：{a} 与 {b} 的测量种子不同（{seeds} 只有其中一个用过）；请用同样的种子测量两者",
)
NO_SEEDS = Sentence("a measured value needs at least one seed", "测量值至少需要一个种子")
RESULTS_NOT_PLAIN = Sentence(
    "the results hold something that JSON has no form for ({reason}); keep numbers, texts, lists and mappings",
    "结果中含有 JSON 无法表示的内容（{reason}）；请只保留数字、文本、列表与映射",
)
RESULTS_FORMAT = Sentence(
    "format {found} is not known here (known: {known}); run the study again", "无法识别格式 {found}（可识别：{known}）；请重新运行该研究"
)
RESULTS_EDITED = Sentence(
    "its mean or interval is not that of its values; it was edited by hand: run the study again",
    "均值或区间与各个值不符，说明被手工修改过；请重新运行该研究",
)
RELATIONS = {
    "greater": Sentence("greater", "更大"),
    "less": Sentence("less", "更小"),
    "equal": Sentence("equal", "相等"),
}
TOO_FEW_SEEDS = Sentence("{n} seeds of the {needed} that the claim asks for", "只有 {n} 个种子，而主张要求 {needed} 个")
SEEDS_NOT_FINITE = Sentence("{n} of the differences are not finite: a training diverged", "有 {n} 个差值不是有限数：有训练发散了")
CLAIM_SUPPORTED = Sentence(
    "difference {difference} [{low}, {high}] over {n} seeds; {relation} by the {effect} that was asked for, p = {p}",
    "{n} 个种子的差值为 {difference} [{low}, {high}]；与所要求的 {effect} 相比，“{relation}”成立，p = {p}",
)
CLAIM_NOT_SUPPORTED = Sentence(
    "difference {difference} [{low}, {high}] over {n} seeds; “{relation}”, at a threshold of {effect}, is ruled out, p = {p}",
    "{n} 个种子的差值为 {difference} [{low}, {high}]；以 {effect} 为界，“{relation}”被排除，p = {p}",
)
CLAIM_INCONCLUSIVE = Sentence(
    "difference {difference} [{low}, {high}] over {n} seeds; whether it is {relation}, at a threshold of {effect}, cannot be told, p = {p}{more}",
    "{n} 个种子的差值为 {difference} [{low}, {high}]；以 {effect} 为界，无法判断是否“{relation}”，p = {p}{more}",
)
SEEDS_WOULD_TELL = Sentence("; about {seeds} seeds would tell that effect from none", "；约需 {seeds} 个种子才能把该效应与无效应区分开")
NOTHING_MORE = Sentence("; it lies near the threshold", "；它就在阈值附近")
CURVE_SEEDS = Sentence(
    "the curve “{label}” has {found} seed; a figure shows the spread of at least two (or draw it as Theory)",
    "曲线“{label}”只有 {found} 个种子；图中须画出至少两个种子的离散程度（或用 Theory 画出）",
)
CURVE_LENGTH = Sentence("the curve “{label}” has {x} places and {y} values", "曲线“{label}”有 {x} 个横坐标，却有 {y} 个值")
