"""Sentences of what comes after training: load, evaluate, predict, sample."""

from __future__ import annotations

from danlu.errors import Sentence

# ---- preprocess.json ----

PREPROCESS_NOT_PLAIN = Sentence(
    "the data's `preprocess` must be plain values that JSON can hold ({reason})", "数据的 `preprocess` 只能是 JSON 能表示的普通值（{reason}）"
)
PREPROCESS_MISSING = Sentence(
    "{folder} has no {file}: the run was stopped in its first moments, or trained by an older danlu; train it again",
    "{folder} 中没有 {file}：这次训练刚开始就中断了，或由旧版 danlu 训练；请重新训练",
)
PREPROCESS_BROKEN = Sentence(
    "{path} cannot be used ({reason}); restore it from a copy or update danlu", "{path} 无法使用（{reason}）；请从备份恢复或升级 danlu"
)

# ---- which weights ----

UNKNOWN_MARK = Sentence(
    "`@{mark}` is not known; after the folder of a run may stand @best, @latest or @step-N; there are {found}",
    "不认识 `@{mark}`；运行目录后可写 @best、@latest 或 @step-N；现有 {found}",
)
NO_SUCH_CHECKPOINT = Sentence(
    "{folder} has no checkpoint `{mark}`; there are {found}", "{folder} 中没有检查点 `{mark}`；现有 {found}"
)
NOTHING_SAVED = Sentence(
    "{folder} has neither finished nor saved a whole checkpoint; go on with it: danlu resume {folder}",
    "{folder} 既没有训练完，也没有保存完整的检查点；请继续训练：danlu resume {folder}",
)
WEIGHTS_CHANGED = Sentence(
    "{path} is missing or was changed after the run ended; use a checkpoint (RUN@best, RUN@latest) or restore the file",
    "{path} 不存在或在训练结束后被改动；请改用检查点（RUN@best、RUN@latest）或恢复该文件",
)

# ---- predicting ----

PREDICT_LANGUAGE = Sentence(
    "this model continues text (task {task}) and has no prediction for a row; try danlu sample RUN --prompt \"...\"",
    "该模型用于续写文本（任务 {task}），不对单行做预测；请用 danlu sample RUN --prompt \"...\"",
)
PREDICT_NOTHING = Sentence("there are no rows to predict", "没有可预测的行")
PREDICT_UNKNOWN_KIND = Sentence(
    "the run's preprocess.json has kind `{kind}`, which this danlu does not know; update danlu",
    "该运行的 preprocess.json 的类型是 `{kind}`，当前 danlu 不认识；请升级 danlu",
)
PREDICT_NO_NAMES = Sentence(
    "rows without column names cannot be matched; give a table with the columns {columns}",
    "没有列名的行无法对应；请给出含有这些列的表格：{columns}",
)
