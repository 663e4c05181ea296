"""Sentences of the command line."""

from __future__ import annotations

from danlu.errors import Sentence

USAGE = Sentence("usage: ", "用法：")
WHAT_DANLU_IS = Sentence(
    "danlu trains models: every technique in one loop, one line of a recipe each.",
    "丹炉：训练系统兼训练库，所有技巧都在同一个循环里，在配方中各占一行。",
)
THE_COMMANDS = Sentence("commands (danlu COMMAND --help tells more):", "命令（danlu COMMAND --help 查看详情）：")
THE_COMMON_FLAGS = Sentence("with every command:", "每个命令都可用：")
THE_EXIT_CODES = Sentence(
    'exit codes (with --json a failure is also a line {{"error": ...}} on standard output):',
    '退出码（加 --json 时，失败也会在标准输出上给出一行 {{"error": ...}}）：',
)
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
CODE_DAMAGED = Sentence("a stored file is missing or was changed after it was written", "保存的文件缺失，或写入后被改动")
CODE_NO_MEMORY = Sentence(
    "memory does not suffice, even for the smallest micro-batch; what was saved before is whole",
    "内存或显存不足，即使用最小的微批；之前保存的内容完好",
)
CODE_LOST = Sentence(
    "another process of the training ended; the run goes on from its newest checkpoint",
    "训练的另一个进程已结束；可从最新检查点继续",
)
CODE_SAVED = Sentence(
    "stopped by Ctrl-C or a signal, and saved: run the same command again to go on",
    "被 Ctrl-C 或信号中止，已保存：再次运行同一命令即可继续",
)
CODE_INTERRUPTED = Sentence("stopped by Ctrl-C at once: nothing more was saved", "被 Ctrl-C 立即中止，没有再保存任何内容")
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
FLAG_ACCEPT = Sentence(
    "code: go on with a run although the code or the packages are not what they were", "code：代码或软件包有变化时仍继续训练"
)
FLAG_LIMIT = Sentence(
    "save and stop (exit code 75) before this time is over, such as 90m or 12h", "在此时限前保存并停止（退出码 75），例如 90m 或 12h"
)
FLAG_UNTIL = Sentence(
    "extend the run: epochs=20 or steps=5000; the schedule is laid over the new length",
    "延长训练：epochs=20 或 steps=5000；学习率计划按新的长度重新铺开",
)
FLAG_LR = Sentence("another learning rate, from the next step on", "从下一步起改用另一学习率")
ACCEPT_WHAT = Sentence("--accept takes `code`; found `{found}`", "--accept 只能是 `code`；现在是 `{found}`")
LIMIT_WHAT = Sentence(
    "--limit is a time such as 90m, 12h or 1.5h; found `{found}`", "--limit 是时间，如 90m、12h 或 1.5h；现在是 `{found}`"
)
UNTIL_WHAT = Sentence("--until is epochs=N or steps=N; found `{found}`", "--until 应为 epochs=N 或 steps=N；现在是 `{found}`")
FLAG_QUIET = Sentence("show no progress", "不显示进度")
FLAG_METRIC = Sentence("what to plot, such as loss, val_accuracy, lr (may be repeated)", "画哪个量，例如 loss、val_accuracy、lr（可重复）")
FLAG_PLOT_OUT = Sentence("the picture: FILE.png or FILE.svg", "图片文件：FILE.png 或 FILE.svg")
FLAG_TERMINAL = Sentence("draw in the terminal, which is also done without --out", "直接画在终端里；没有 --out 时也是如此")
FLAG_SCHEDULE = Sentence("plot a recipe's learning rate instead, without training it", "改画配方的学习率曲线，不做训练")
ABOUT_TRAIN = Sentence("train a recipe", "训练一个配方")
ABOUT_CHECKPOINTS = Sentence("list a run's checkpoints with their health", "列出一次运行的检查点及其是否完好")
MORE_CHECKPOINTS = Sentence(
    "Without --verify only names and sizes are compared with each manifest. The exit code is 7 when one of them is not whole.",
    "不加 --verify 时只按清单核对文件名和大小。若有检查点不完好，退出码为 7。",
)
FLAG_VERIFY = Sentence("read every byte and compare it with its digest", "逐字节重新读取，并与摘要比对")
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
    "Keep it beside your recipes (danlu schema > danlu.schema.json) and write in the first line of a recipe:\n"
    "  # yaml-language-server: $schema=danlu.schema.json",
    "把它存在配方旁边（danlu schema > danlu.schema.json），并在配方的第一行写上：\n  # yaml-language-server: $schema=danlu.schema.json",
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
INTERRUPTED = Sentence("stopped at once; what was saved before is whole", "已立即中止；之前保存的内容完好")
NO_SUCH_NAME = Sentence(
    "this system can have no file of such a name ({reason}); choose another name", "本系统无法使用这样的文件名（{reason}）；请换一个名称"
)
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
IN_ENGLISH = Sentence("(From here on as the source has it, in English.)", "（以下出自源码文档，为英文。）")
SHOW_USE = Sentence("use it", "用法")
SHOW_SOURCE = Sentence("source", "源码")
CARD = {  # headings of the parts of a card, in docstrings too
    "mechanism": Sentence("What it does", "原理"),
    "formula": Sentence("Formula", "公式"),
    "helps": Sentence("When it helps", "何时有用"),
    "costs": Sentence("What it costs", "代价"),
    "not_when": Sentence("When not to use it", "何时不用"),
    "fails": Sentence("Failure signals", "失效信号"),
    "beside": Sentence("Interactions", "相互作用"),
}
