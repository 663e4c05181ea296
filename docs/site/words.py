"""Words of the site, in both languages."""

from danlu.errors import Sentence

HOME = Sentence("danlu: train, and know why", "丹炉：会训练，也知其所以然")
WELCOME = Sentence(
    "A training system and a training library in one: every technique in one loop, each with lessons and evidence. Every number on these "
    "pages comes from a run with several seeds; nothing was typed in by hand.",
    "训练系统与训练库合而为一：所有技巧都在同一个循环里，每一种都有课程和证据。这些页面上的每个数字都来自多个种子的运行，没有一个是手写的。",
)
START = Sentence("Start here", "从这里开始")
LESSONS = Sentence("Lessons", "课程")
PATHS = Sentence("Learning paths", "学习路径")
CARDS = Sentence("Technique cards", "技巧卡片")
NAMES = Sentence("Everything a recipe may name", "配方可用的全部名称")
COVERAGE = Sentence("Scope and coverage", "范围与覆盖")
GUIDE = Sentence("How to use danlu", "使用指南")
GUIDES = Sentence("How to", "操作指南")
EVIDENCE_PAGES = Sentence("Evidence", "实测依据")
WRITING = Sentence("How to write a lesson", "如何编写课程")
DECISIONS = Sentence("Decisions", "设计决定")
API = Sentence("Python API", "Python 接口")
ABOUT_API = Sentence(
    "All that `import danlu` gives, such as `danlu.train` and `danlu.Recipe`, with signatures and docstrings. The class of a name that "
    "recipes use is an attribute of its folder, such as `danlu.optim.AdamW`.",
    "`import danlu` 提供的全部内容，如 `danlu.train`、`danlu.Recipe`，各附签名与源码文档；后者为英文。"
    "配方所用名称的类是其文件夹的属性，如 `danlu.optim.AdamW`。",
)
NOT_YET = Sentence("Planned, not written yet: {ids}.", "已规划、尚未写好：{ids}。")
EXIT_TASK = Sentence("**Exit task.** {task}", "**结业任务。** {task}")
OPEN = Sentence(
    "Take it with you: `danlu learn open {id}` makes a notebook of it; `danlu learn quiz {id}` asks you first; "
    "`danlu learn run {id}` measures again.",
    "带走这一课：`danlu learn open {id}` 生成笔记本；`danlu learn quiz {id}` 先测验；`danlu learn run {id}` 重新测量。",
)
FIELD = Sentence("field", "字段")
DEFAULT = Sentence("default", "默认值")
ABOUT = Sentence("what it is", "说明")
USE = Sentence("Use", "用法")
EVIDENCE = Sentence("Evidence", "证据")
NO_EVIDENCE = Sentence("Not measured yet.", "尚未测量。")
FROM_LESSON = Sentence(" {reason} (from lesson {link})", "{reason}（来自课程 {link}）")
ROWS = Sentence("Scope", "范围")
SEAM = Sentence("Changes", "作用于")
ROW = Sentence("row", "条目")
WHAT = Sentence("names", "名称")
TESTS = Sentence("tests", "测试")
COUNT = Sentence(
    "{with_names} of {rows} rows have something that a recipe can name, {with_lessons} have a lesson.",
    "共 {rows} 个条目，其中 {with_names} 个有配方可用的名称，{with_lessons} 个有课程。",
)
CASES = Sentence("Worked cases", "案例")
CASE_OPEN = Sentence(
    "Measured by `python cases/{name}/measure.py`; what did not help is kept.",
    "由 `python cases/{name}/measure.py` 测得；没有用的步骤也保留在此。",
)
FROM_CASE = Sentence(" {reason} (from the case {link})", "{reason}（来自案例 {link}）")
SETTING = Sentence(
    "Setting: a perceptron with batch normalisation and dropout, 8,000 digits, 200 steps of 64 rows (`bench/cards.py`)",
    "实验设置：带批归一化与丢弃的感知机，8000 张数字，200 步、每步 64 行（`bench/cards.py`）",
)
GAIN = {
    "technique": Sentence("Validation accuracy with it less without it", "使用与不使用之间验证准确率的差"),
    "schedule": Sentence("Validation accuracy with it less that of a constant rate", "与恒定学习率之间验证准确率的差"),
    "optimizer": Sentence(
        "Validation accuracy less that of AdamW, each at the best of five rates (here {rate:.3g})",
        "与 AdamW 之间验证准确率的差，各取五个学习率中最好的（此处为 {rate:.3g}）",
    ),
}
POINTS = Sentence(
    "{mean:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}, n = {n} seeds",
    "{mean:+.2f} 个百分点，95% 区间 {low:+.2f} 至 {high:+.2f}，n = {n} 个种子",
)
WITH_FIELDS = Sentence("With `{fields}`.", "设置为 `{fields}`。")
TIME = {
    "technique": Sentence("Measured time of a step beside one without it", "实测每步时间与不使用时之比"),
    "optimizer": Sentence("Measured time of a whole step beside AdamW's", "实测完整一步的时间与 AdamW 之比"),
}
TIMES = Sentence(
    "{mean:.2f}, 95 % interval {low:.2f} to {high:.2f}, n = {n} rounds; two equals: {same_low:.2f} to {same_high:.2f}",
    "{mean:.2f}，95% 区间 {low:.2f} 至 {high:.2f}，n = {n} 轮；同样两个之间：{same_low:.2f} 至 {same_high:.2f}",
)
STATE = Sentence(
    "State: {state:.2f} numbers for each parameter of three 64 by 64 layers.", "状态：三个 64×64 的层，每个参数 {state:.2f} 个数。"
)
NO_PAIR = Sentence(
    "Tried with each of the {others} other techniques, as the outer and as the inner one: none is refused.",
    "与其余 {others} 个技巧逐一试过，内外两种次序都试：没有一对被拒绝。",
)
PAIRS = Sentence(
    "Tried with each of the {others} other techniques, as the outer and as the inner one: refused beside {names}.",
    "与其余 {others} 个技巧逐一试过，内外两种次序都试：与以下技巧同用会被拒绝：{names}。",
)
NO_WORDS = Sentence(
    "the card of `{name}` says nothing of: {parts} (headings of its docstring, in both languages; see CONTRIBUTING.md)",
    "`{name}` 的卡片缺少：{parts}（docstring 中的小标题，两种语言都要有；见 CONTRIBUTING.md）",
)
