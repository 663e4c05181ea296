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
WRITING = Sentence("How to write a lesson", "如何编写课程")
DECISIONS = Sentence("Decisions", "设计决定")
API = Sentence("Python API", "Python 接口")
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
NO_EVIDENCE = Sentence("No lesson measures it yet.", "还没有课程测量它。")
FROM_LESSON = Sentence("from lesson", "来自课程")
ROWS = Sentence("Scope", "范围")
SEAM = Sentence("Changes", "作用于")
DETAILS = Sentence("What it does, when it helps, what it costs, when not to use it", "原理、何时有用、代价、何时不用")
IN_ENGLISH = Sentence("", "（以下出自源码文档，为英文。）")
ROW = Sentence("row", "条目")
WHAT = Sentence("names", "名称")
TESTS = Sentence("tests", "测试")
COUNT = Sentence(
    "{with_names} of {rows} rows have something that a recipe can name, {with_lessons} have a lesson.",
    "共 {rows} 个条目，其中 {with_names} 个有配方可用的名称，{with_lessons} 个有课程。",
)
