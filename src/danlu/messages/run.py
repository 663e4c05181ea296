"""Sentences of the run folder."""

from __future__ import annotations

from danlu.errors import Sentence

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
LINK_IN_RUN = Sentence(
    "{path} is a link (to {target}), and a run writes and deletes only inside its own folder; put what it points at in its place, or make "
    "the whole run folder a link",
    "{path} 是一个链接（指向 {target}），而一次运行只在自己的文件夹内写入和删除；请用它所指的内容替换它，或把整个运行文件夹做成链接",
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
    "step {step} is not finite, first in {where} (samples {ids}); it moved nothing ({count} such steps so far)",
    "第 {step} 步出现非有限值，最先出现在{where}（样本 {ids}）；该步未更新任何参数（至今共 {count} 步）",
)
ROLLED_BACK = Sentence("went back to the weights of step {step}", "已回滚到第 {step} 步的权重")
DIVERGED_RUN = Sentence(
    "stopped at step {step}: {count} steps in a row had no finite gradient; lower the learning rate, add --with clip, or use precision=fp32; "
    "see {folder}/events.jsonl",
    "在第 {step} 步停止：连续 {count} 步梯度都不是有限值；请降低学习率、加上 --with clip，或用 precision=fp32；详见 {folder}/events.jsonl",
)
STOPPED = Sentence(
    "{signal}: stopped after step {step} of {total} and saved; go on with: danlu resume {folder}",
    "收到 {signal}：已在第 {step} 步（共 {total} 步）后停止并保存；继续训练：danlu resume {folder}",
)
STOPPED_LIMIT = Sentence(
    "the time limit is near: stopped after step {step} of {total} and saved; go on with: danlu resume {folder}",
    "时间上限将到：已在第 {step} 步（共 {total} 步）后停止并保存；继续训练：danlu resume {folder}",
)
STOPPED_AT_ONCE = Sentence(
    "{signal}: stopped, no step was under way; everything that was saved is whole; go on with the same command",
    "收到 {signal}：已停止，当时没有进行中的训练步；已保存的内容完好；再次运行同一命令即可继续",
)
STOPPED_IN_STEP = Sentence(
    "{signal}: stopped; what went on after the last step (a validation?) was not over within {grace:g} s, so the run goes on from its newest "
    "checkpoint; go on with the same command",
    "收到 {signal}：已停止；最后一步之后的工作（验证？）未能在 {grace:g} 秒内结束，将从最新的检查点继续；再次运行同一命令即可",
)
OTHER_CODE = Sentence(
    "the code or the packages are not those that the run in {folder} was made with so far:\n{difference}\nset them back, or go on with these: "
    "add --accept code",
    "代码或软件包与 {folder} 中的训练此前所用的不同：\n{difference}\n请改回，或加上 --accept code 以用现在的代码继续",
)
CHANGED_SINCE = Sentence("changed since the run was last gone on with:\n{difference}", "自上次继续训练以来的改动：\n{difference}")
UNTIL_PAST = Sentence(
    "the run is at step {step} already, and the new length is {total} steps; choose a greater one with --until",
    "训练已到第 {step} 步，而新的长度是 {total} 步；请用 --until 给出更大的值",
)
UNTIL_ENDED = Sentence(
    "the run was ended by early stopping at step {step} and holds its best weights; start a new one from them: danlu train RECIPE --from RUN",
    "训练已在第 {step} 步被早停结束，并恢复了最好的权重；请以它为起点新开训练：danlu train RECIPE --from RUN",
)
FINISHED = Sentence("finished after {step} steps  {metrics}  report: {page}", "训练完成，共 {step} 步  {metrics}  报告：{page}")
FINISHED_BEFORE = Sentence(
    "this run was finished at step {step}; nothing to do in {folder}", "该训练已在第 {step} 步完成；{folder} 中无需再做什么"
)
RUN_FILE_UNREADABLE = Sentence(
    "{file} cannot be read ({reason}); restore it from a copy, or train in a new folder with --out",
    "无法读取 {file}（{reason}）；请从备份恢复，或用 --out 在新文件夹中训练",
)
NO_CHECKPOINTS = Sentence("{folder} has no checkpoint yet", "{folder} 还没有检查点")
WHOLE = Sentence("whole", "完好")
LOOKS_WHOLE = Sentence("sizes right", "大小相符")
FOLLOWING = Sentence(
    "process {rank} of {world} follows from step {step} of {total}; process 0 writes {folder}",
    "进程 {rank}（共 {world} 个）从第 {step} 步（共 {total} 步）跟随；由进程 0 写入 {folder}",
)
FOLLOWED = Sentence("finished after step {step}", "第 {step} 步后完成")
