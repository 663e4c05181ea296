"""Sentences of lessons: the command, the pages, the exercises, and what is wrong with a lesson that is being written."""

from __future__ import annotations

from danlu.errors import Sentence

# ---- the command ----
ABOUT_LEARN = Sentence("lessons that run here: what to learn next, and everything it takes", "能在本机运行的课程：下一步学什么，以及怎么学")
MORE_LEARN = Sentence(
    "  danlu learn                 the paths, how far you are, the next lesson\n"
    "  danlu learn 03              read lesson 03 here in the terminal\n"
    "  danlu learn quiz 03         predict before you run\n"
    "  danlu learn run 03          run it: figures, claims, verdicts\n"
    "  danlu learn open 03         a notebook, lesson.py and the exercises, in a folder here\n"
    "  danlu learn check 03.1      is my answer right? (03_*/exercise_1.py, or a file named after it)\n"
    "For those who write lessons: danlu learn lint, verify, stamp [ID...] (docs/lessons.md).",
    "  danlu learn                 学习路径、你的进度、下一课\n"
    "  danlu learn 03              在终端里读第 03 课\n"
    "  danlu learn quiz 03         先预测，再运行\n"
    "  danlu learn run 03          运行这一课：数值、论断、判定\n"
    "  danlu learn open 03         在当前目录生成一个文件夹，内有笔记本、lesson.py 和练习\n"
    "  danlu learn check 03.1      检查练习答案（03_*/exercise_1.py，或写在后面的文件）\n"
    "写课程的人另有：danlu learn lint、verify、stamp [ID...]（见 docs/lessons.zh.md）。",
)
FLAG_SEEDS = Sentence("run, verify: how many seeds (5)", "run、verify：用多少个种子（默认 5）")
FLAG_RECORD = Sentence("run: keep results and figures in the lesson's own folder", "run：把结果和图存入课程自己的文件夹")
FLAG_ALL = Sentence("verify: run every lesson, also where nothing has changed", "verify：所有课程都重新运行，即使没有变化")
LEARN_UNKNOWN = Sentence(
    "danlu learn has no `{word}`, and no lesson is called that; {hint}", "danlu learn 没有 `{word}`，也没有叫这个名字的课；{hint}"
)
LEARN_NEEDS = Sentence(
    "danlu learn {word} needs the number of a lesson, such as {example}", "danlu learn {word} 后面要写课程编号，例如 {example}"
)
LEARN_WRITTEN = Sentence(
    "{there} of {planned} lessons are written, {done} finished by you", "共 {planned} 课，已写好 {there} 课，你学完 {done} 课"
)
LEARN_LINE = Sentence("{title}: {question}", "{title}：{question}")
LEARN_EXIT = Sentence("at the end: {task}", "结业任务：{task}")
LEARN_NEXT = Sentence("next: danlu learn open {id}   {title}", "下一步：danlu learn open {id}   {title}")
LEARN_ALL_DONE = Sentence("You have finished every lesson that is written.", "写好的课你都学完了。")
LEARN_DONE = Sentence("finished", "已学完")
LEARN_STATE_RAN = Sentence("run", "已运行")
LEARN_STATE_QUIZ = Sentence("quiz {right}/{of}", "测验 {right}/{of}")
LEARN_STATE_EXERCISES = Sentence("exercises {passed}/{of}", "练习 {passed}/{of}")
LEARN_STATE_OPENED = Sentence("opened", "已打开")
LEARN_OPENED = Sentence(
    "{folder}/ has the lesson as lesson.ipynb (Jupyter, VS Code) and as lesson.py, and its exercises.\n"
    "before you run it: danlu learn quiz {id}\nan exercise:       danlu learn check {id}.1",
    "{folder}/ 里有这一课的 lesson.ipynb（用 Jupyter 或 VS Code 打开）、lesson.py 和练习。\n"
    "运行之前：danlu learn quiz {id}\n做练习：  danlu learn check {id}.1",
)
LEARN_THERE_ALREADY = Sentence(
    "{folder} is there already; your work in it stays. Move or rename it first", "{folder} 已存在，其中的内容不会动；请先移走或改名"
)
LEARN_RUNNING = Sentence("lesson {id}, {title}: {seeds} seeds, one thread ...", "第 {id} 课《{title}》：{seeds} 个种子，单线程……")
LEARN_RAN = Sentence("{seconds:.0f} CPU-seconds; results and figures are in {folder}", "用了 {seconds:.0f} CPU 秒；结果和图在 {folder}")
LEARN_OFFLINE = Sentence("a lesson is run without a network when it is verified", "验证课程时不允许联网")
LEARN_TOO_LONG = Sentence("lesson {id} was ended after {seconds:.0f} seconds", "第 {id} 课运行超过 {seconds:.0f} 秒，已被终止")
LEARN_DID_NOT_RUN = Sentence(
    "lesson {id} did not run to its end (exit code {code}); what it said is above",
    "第 {id} 课没有运行完（退出码 {code}）；原因见上面的输出",
)
LEARN_NO_ANSWER_FILE = Sentence(
    "no file to check: {file} is not there; danlu learn open {lesson} makes it, or name yours: danlu learn check {id} my.py",
    "没有可检查的文件：找不到 {file}；用 danlu learn open {lesson} 生成，或写出你的文件：danlu learn check {id} my.py",
)
LEARN_QUIZ_ASK = Sentence("your answer ({letters}): ", "你的答案（{letters}）：")
LEARN_QUIZ_RIGHT = Sentence("Right. {why}", "对。{why}")
LEARN_QUIZ_WRONG = Sentence("Not so. {why}\nIt is {letter}, {says}: {right}", "不对。{why}\n正确的是 {letter}（{says}）：{right}")
LEARN_QUIZ_SCORE = Sentence(
    "{right} of {of}. See for yourself: danlu learn run {id}", "{of} 题答对 {right} 题。亲眼看看：danlu learn run {id}"
)
LEARN_QUIZ_ENDED = Sentence("the quiz was left before its end; nothing is kept", "测验没有做完；不作记录")
LEARN_GOOD = Sentence("{id}  holds", "{id}  通过")
LEARN_STAMPED = Sentence("{path}: each section goes with the English as it is now", "{path}：各节已与当前英文对应")

# ---- the page ----
PAGE_CLAIM = Sentence("Claim.", "论断：")
PAGE_VERDICT = Sentence("**{word}.** {reason}", "**{word}。** {reason}")
PAGE_REGIME = Sentence("Measured with:", "测量条件：")
PAGE_ANSWER = Sentence("Answer, once you have predicted", "先预测，再看答案")
PAGE_EXERCISE = Sentence(
    "Check it: `danlu learn check {id}` (your file: `{file}`).", "检查：`danlu learn check {id}`（你的文件：`{file}`）。"
)
VERDICT_SUPPORTED = Sentence("SUPPORTED", "成立")
VERDICT_NOT = Sentence("NOT SUPPORTED", "不成立")
VERDICT_OPEN = Sentence("INCONCLUSIVE", "证据不足")

PAGE_MEASURED = Sentence(
    "Measured with {seeds} seeds in {seconds:.0f} CPU-seconds on one thread ({cpu}, Python {python}, torch {torch}).",
    "测量所用：{seeds} 个种子，单线程 {seconds:.0f} CPU 秒（{cpu}，Python {python}，torch {torch}）。",
)

# ---- exercises ----
EXERCISE_RIGHT = Sentence("{id}: right.", "{id}：正确。")
EXERCISE_WRONG = Sentence("{id}: not yet. {hint}", "{id}：还不对。{hint}")
EXERCISE_NOT_YET = Sentence(
    "The function is not written yet: put your lines in the place of `raise NotImplementedError`.",
    "函数还没有写：请用你的代码替换 `raise NotImplementedError`。",
)
EXERCISE_NOTHING = Sentence(
    "The function returned nothing; does every way through it end in `return`?", "函数没有返回任何值；是否每条路径都以 `return` 结束？"
)
EXERCISE_RAISED = Sentence("It stopped in line {line} with {kind}: {error}", "运行到第 {line} 行时出错（{kind}）：{error}")
EXERCISE_UNKNOWN = Sentence("there is no exercise {word}; this lesson has {names}", "没有练习 {word}；这一课有 {names}")
EXERCISE_NO_FILE = Sentence("exercise {id} lacks {path}", "练习 {id} 缺少 {path}")
EXERCISE_NO_HINT = Sentence(
    "the check of exercise {id} yields `{name}`, for which there is no hint; {hint}",
    "练习 {id} 的检查给出 `{name}`，但没有对应的提示；{hint}",
)

# ---- reading a lesson ----
LESSONS_MISSING = Sentence("the lessons are not here: {folder}; install danlu again", "找不到课程：{folder}；请重新安装 danlu")
LESSON_UNKNOWN = Sentence("no lesson is called `{word}`; {hint}", "没有名为 `{word}` 的课；{hint}")
LESSON_NUMBER_TWICE = Sentence("two lessons have the number {id}: {first} and {second}", "有两课的编号都是 {id}：{first} 和 {second}")
LESSON_FOLDER_NAME = Sentence(
    "{folder}: a lesson's folder is called like 03_learning_rate", "{folder}：课程文件夹的名字应形如 03_learning_rate"
)
LESSON_MISSING_KEY = Sentence("`{key}` must be given", "必须给出 `{key}`")
LESSON_NOT_A_LINK = Sentence("must be a link that starts with https://; found {found}", "应为以 https:// 开头的链接；现在是 {found}")
LESSON_SECTION_TWICE = Sentence("the section `{id}` is there twice", "`{id}` 这一节出现了两次")
LESSON_CELL_TWICE = Sentence("the cell `{name}` is there twice", "单元 `{name}` 出现了两次")
LESSON_UNKNOWN_ROLE = Sentence("unknown role `{{{role}}}`; {hint}", "未知的角色 `{{{role}}}`；{hint}")
LESSON_ROLE_ALONE = Sentence("`{{{role}}}` must stand on a line of its own", "`{{{role}}}` 必须独占一行")
LESSON_NO_RESULTS = Sentence(
    "lesson {id} has no results.json; danlu learn run {id} --record makes it",
    "第 {id} 课没有 results.json；用 danlu learn run {id} --record 生成",
)
LESSON_NO_FIGURE = Sentence(
    "lesson {id} has no figure {path}; danlu learn run {id} --record draws it",
    "第 {id} 课没有图 {path}；用 danlu learn run {id} --record 绘制",
)
LESSON_NO_CONSTANT = Sentence("lesson.py of {id} sets no `{name}`; {hint}", "第 {id} 课的 lesson.py 没有定义 `{name}`；{hint}")
LESSON_BLANK = Sentence(
    "lesson {id}: `{key}` has no value, and a page prints no blank", "第 {id} 课：`{key}` 没有数值，而页面上不允许出现空白"
)
LESSON_NOTHING_NAMED = Sentence("lesson {id} has no {role} `{name}`; {hint}", "第 {id} 课没有名为 `{name}` 的 {role}；{hint}")
LESSON_NO_VERDICT = Sentence(
    "lesson {id}: results.json has no verdict on the claim `{claim}`", "第 {id} 课：results.json 中没有论断 `{claim}` 的判定"
)
PATH_TWICE = Sentence("a lesson is on this path twice", "这条路径上有一课出现了两次")
QUIZ_EMPTY = Sentence("a quiz is a mapping from a question's id to the question", "测验应为从题目标识到题目的映射")
QUIZ_ONE_KIND = Sentence(
    "a question is decided by exactly one of `value`, `pick` and `verdict`", "一道题只能由 `value`、`pick`、`verdict` 之一判定"
)
QUIZ_TWO_CHOICES = Sentence("a question has at least two choices", "一道题至少有两个选项")
QUIZ_GAP = Sentence(
    "the ranges must follow one another without a gap, the first without `from`, the last without `below`",
    "各区间必须首尾相接，第一个不写 `from`，最后一个不写 `below`",
)
QUIZ_NO_CLAIM = Sentence("question `{question}`: there is no verdict on a claim `{claim}`", "题目 `{question}`：没有论断 `{claim}` 的判定")
QUIZ_NOT_ONE = Sentence(
    "question `{question}`: {found} choices are right; there must be exactly one", "题目 `{question}`：有 {found} 个选项正确；必须恰好一个"
)
QUIZ_NO_VALUE = Sentence("question `{question}`: `{key}` has no value", "题目 `{question}`：`{key}` 没有数值")

# ---- lint ----
LINT_SECTIONS = Sentence(
    "{path}: the sections are not those of the English: {there} beside {here}", "{path}：各节与英文不一致：{there}，英文是 {here}"
)
LINT_STALE = Sentence(
    "{where}: the section `{section}` does not go with the English as it is now; put it right, then run danlu learn stamp {folder} (`% en {digest}`)",
    "{where}：`{section}` 一节与当前英文对不上；改好后运行 danlu learn stamp {folder}（`% en {digest}`）",
)
LINT_ROLES = Sentence(
    "{where}: the section `{section}` puts in other things than the English: {roles}",
    "{where}：`{section}` 一节引用的内容与英文不同：{roles}",
)
LINT_NUMBER = Sentence(
    "{where}: the number `{found}` stands bare in the prose; a result comes through `{{measured}}`, a setting through `{{set}}`",
    "{where}：正文里出现了裸数字 `{found}`；结果用 `{{measured}}`，设置用 `{{set}}`",
)
LINT_HALF_WIDTH = Sentence(
    "{where}: Chinese with a half-width mark, or none at all: `{found}`", "{where}：中文里用了半角标点，或没有中文：`{found}`"
)
LINT_SHOWN = Sentence(
    "{path}: `{{{kind}}}` must show each once (cells in order): {wanted}; it shows {found}",
    "{path}：`{{{kind}}}` 应各出现一次（代码单元按顺序）：{wanted}；现在是 {found}",
)
LINT_READINGS = Sentence("{path}: further reading (`{{readings}}`) must be there, once", "{path}：必须有一处延伸阅读（`{{readings}}`）")
LINT_NONE = Sentence("lesson {id} has no {kind}", "第 {id} 课没有 {kind}")
LINT_CAPTION = Sentence("{where}: the figure `{name}` has no caption", "{where}：图 `{name}` 没有说明")
LINT_IMPORT = Sentence(
    "{where}: import from the module that has it, not from `{module}`, so that a change in it is noticed",
    "{where}：请从定义它的模块导入，而不是 `{module}`，这样改动才会被发现",
)
LINT_TEACHES = Sentence(
    "{path}: it teaches `{name}`, which no recipe may name; {hint}", "{path}：所教的 `{name}` 不是配方可用的名称；{hint}"
)
LINT_RESULTS_OLD = Sentence(
    "lesson {id}: lesson.py or claims.yaml have changed since results.json was recorded; run danlu learn run {id} --record",
    "第 {id} 课：results.json 记录之后 lesson.py 或 claims.yaml 有改动；请运行 danlu learn run {id} --record",
)

# ---- verify ----
VERIFY_STUB = Sentence("exercise {id}: the stub must say that it is not written yet", "练习 {id}：待写的函数应当报告尚未完成")
VERIFY_SOLUTION = Sentence("exercise {id}: the solution does not pass: {hint}", "练习 {id}：参考答案没有通过：{hint}")
VERIFY_FEW_WRONG = Sentence(
    "exercise {id}: it must know at least {least} wrong answers; there are {found}",
    "练习 {id}：至少要有 {least} 个错误答案；现有 {found} 个",
)
VERIFY_WRONG = Sentence(
    "exercise {id}: the wrong answer `{name}` does not get its own hint, but: {found}",
    "练习 {id}：错误答案 `{name}` 得到的不是自己的提示，而是：{found}",
)
VERIFY_HINT_UNUSED = Sentence(
    "exercise {id}: no wrong answer shows that the hint `{name}` is ever given", "练习 {id}：没有错误答案会得到提示 `{name}`"
)
VERIFY_SLOW = Sentence(
    "lesson {id} took {seconds:.1f} CPU-seconds; at most {most} are allowed", "第 {id} 课用了 {seconds:.1f} CPU 秒；上限是 {most}"
)
VERIFY_LARGE = Sentence(
    "lesson {id} took {found:.2f} GB of memory; at most 1.07 are allowed", "第 {id} 课用了 {found:.2f} GB 内存；上限是 1.07"
)
VERIFY_VERDICT_GONE = Sentence("lesson {id}: the claim `{claim}` has no verdict any more", "第 {id} 课：论断 `{claim}` 不再有判定")
VERIFY_FLIPPED = Sentence(
    "lesson {id}: the verdict on `{claim}` was {before} and is now {now}", "第 {id} 课：论断 `{claim}` 的判定原为 {before}，现在是 {now}"
)
VERIFY_VALUE_GONE = Sentence("lesson {id}: `{key}` is not measured any more", "第 {id} 课：不再测量 `{key}`")
VERIFY_DRIFTED = Sentence(
    "lesson {id}: `{key}` was within {before} and is now within {now}", "第 {id} 课：`{key}` 原在 {before} 之内，现在在 {now} 之内"
)
LEARN_FEW_SEEDS = Sentence(
    "--seeds takes a whole number of at least {least}; found {found}", "--seeds 应为不小于 {least} 的整数；现在是 {found}"
)
VERIFY_FIGURE = Sentence(
    "lesson {id}: the figure {name} is not what results.json draws; run danlu learn run {id} --record",
    "第 {id} 课：图 {name} 与 results.json 画出的不同；请运行 danlu learn run {id} --record",
)
LINT_SHADOWS = Sentence(
    "exercise {id} asks for a function `{name}`, which lesson.py has already; in a notebook one would replace the other",
    "练习 {id} 要求写函数 `{name}`，但 lesson.py 里已有同名函数；在笔记本里两者会互相覆盖",
)
