"""Sentences of what comes after training: load, evaluate, predict, sample."""

from __future__ import annotations

from danlu.errors import Sentence

# ---- preprocess.json ----

PREPROCESS_NOT_PLAIN = Sentence(
    "the data's `preprocess` must be plain values that JSON can hold ({reason})",
    "数据的 `preprocess` 只能是 JSON 能表示的普通值（{reason}）",
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
NO_SUCH_CHECKPOINT = Sentence("{folder} has no checkpoint `{mark}`; there are {found}", "{folder} 中没有检查点 `{mark}`；现有 {found}")
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
    'this model continues text (task {task}) and has no prediction for a row; try danlu sample RUN --prompt "..."',
    '该模型用于续写文本（任务 {task}），不对单行做预测；请用 danlu sample RUN --prompt "..."',
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
PREDICT_COLUMN = Sentence(
    "{path} has a column `{column}` already, which the prediction would be called; rename it",
    "{path} 已有列 `{column}`，与预测结果的列名冲突；请改名",
)
PREDICT_SUFFIX = Sentence("{path}: predictions are written as .csv or .jsonl", "{path}：预测结果只能写成 .csv 或 .jsonl")
PREDICT_OTHER_COLUMNS = Sentence(
    "the inputs have different columns, {columns} and then {found}; predict them one by one",
    "输入文件的列不同：先是 {columns}，后是 {found}；请分别预测",
)
PREDICT_NO_FILE = Sentence("there is no file {path}", "没有文件 {path}")
PREDICT_NO_IMAGES = Sentence("there are no images in {path}", "{path} 中没有图像")
PREDICT_LINE = Sentence("{path}, line {line}: not a JSON object ({reason})", "{path} 第 {line} 行：不是 JSON 对象（{reason}）")
PREDICTED = Sentence("{rows} rows predicted: {path}", "已预测 {rows} 行：{path}")
OUT_EXISTS = Sentence(
    "{path} is there already, and nothing is written over; choose another --out", "{path} 已存在，不会覆盖；请换一个 --out"
)
ABOUT_PREDICT = Sentence("predict new input with a trained run", "用训练好的运行预测新数据")
FLAG_PREDICT_OUT = Sentence("write into FILE.csv or FILE.jsonl instead of the screen", "写入 FILE.csv 或 FILE.jsonl，而不是屏幕")
FLAG_PREDICT_JSON = Sentence("print a JSON object a line instead of CSV", "每行输出一个 JSON 对象，而不是 CSV")
FLAG_EVERY_CLASS = Sentence("the probability of each class, not only of the predicted one", "输出每个类别的概率，而不只是预测类别的")
MORE_PREDICT = Sentence(
    "RUN is a run folder, RUN@best, RUN@latest or RUN@step-N. INPUT is a table (CSV, TSV, Parquet, jsonl), images or a folder of them, a file "
    "of texts (one a line) or a text, as the run was trained on.\nExample: danlu predict runs/adult-2026-11-24-1 new.csv --out said.csv",
    "RUN 是运行目录，也可写 RUN@best、RUN@latest 或 RUN@step-N。INPUT 与训练数据同类：表格（CSV、TSV、Parquet、jsonl）、图像或图像目录、文本文件（每行一条）或一段文本。"
    "\n例如：danlu predict runs/adult-2026-11-24-1 new.csv --out said.csv",
)

# ---- evaluating ----

ABOUT_EVALUATE = Sentence(
    "measure a trained run on held-out rows or on new data, or cross-validate a recipe",
    "在留出数据或新数据上评估训练好的运行，或对配方做交叉验证",
)
FLAG_SPLIT = Sentence(
    "which rows of the run's own data: test (default), val or train", "用运行自身数据的哪一部分：test（默认）、val 或 train"
)
FLAG_EVALUATE_OUT = Sentence(
    "a new folder for evaluation.json and pictures of confusion and calibration", "新目录，存放 evaluation.json 以及混淆矩阵和校准曲线图"
)
FLAG_EVALUATE_JSON = Sentence("print everything as one JSON object", "以一个 JSON 对象输出全部结果")
MORE_EVALUATE = Sentence(
    "RUN is a run folder, RUN@best, RUN@latest or RUN@step-N.\nExample: danlu evaluate runs/digits-2026-11-24-1 --out looked\nExample: danlu evaluate tabular data.path=my.csv data.target=price --folds 5",
    "RUN 是运行目录，也可写 RUN@best、RUN@latest 或 RUN@step-N。\n例如：danlu evaluate runs/digits-2026-11-24-1 --out looked\n例如：danlu evaluate tabular data.path=my.csv data.target=price --folds 5",
)
EVALUATE_WORD = Sentence(
    "`{word}` is not understood; after RUN may stand data.path=NEW", "无法理解 `{word}`；RUN 之后可以写 data.path=新数据"
)
EVALUATE_SPLIT = Sentence("--split is test, val or train, not `{found}`", "--split 只能是 test、val 或 train，而不是 `{found}`")
EVALUATE_BOTH = Sentence(
    "--split chooses rows of the run's own data, data.path gives other data: use one of them",
    "--split 选取运行自身的数据，data.path 给出其他数据：两者只能用一个",
)
EVALUATE_NO_SPLIT = Sentence("the run's data have no {split} rows; they have {found}", "该运行的数据没有 {split} 部分；现有 {found}")
EVALUATE_OTHER_DATA = Sentence(
    "the data of {folder} are no longer what it was trained on (other classes or columns); give data.path=FILE",
    "{folder} 的数据与训练时不同（类别或列变了）；请用 data.path=文件 指定",
)
EVALUATE_NO_TARGET = Sentence(
    "{path} has no column `{target}`, which tells what is right; it has {columns}. To predict only: danlu predict",
    "{path} 没有列 `{target}`，无法知道正确答案；它有 {columns}。若只需预测：danlu predict",
)
EVALUATE_KIND = Sentence(
    "a run on data of kind `{kind}` reads no files; use danlu.load(RUN).predict(...) in Python",
    "数据类型为 `{kind}` 的运行不能读取文件；请在 Python 中用 danlu.load(RUN).predict(...)",
)
EVALUATED = Sentence("{rows} rows of {data}", "{data}：{rows} 行")
EVALUATE_ECE = Sentence("calibration error", "校准误差")
CLASS_NAME = Sentence("class", "类别")
CLASS_PRECISION = Sentence("precision", "精确率")
CLASS_RECALL = Sentence("recall", "召回率")
CLASS_ROWS = Sentence("rows", "行数")
PICTURE_PREDICTED = Sentence("predicted", "预测")
PICTURE_TRUE = Sentence("true", "真实")
PICTURE_CONFUSION = Sentence("{rows} rows", "{rows} 行")
PICTURE_SHARE = Sentence("share of the true class", "占真实类别的比例")
PICTURE_PERFECT = Sentence("perfect", "理想情况")
PICTURE_BINS = Sentence("rows of similar confidence", "置信度相近的行")
PICTURE_CONFIDENCE = Sentence("confidence", "置信度")
PICTURE_ACCURACY = Sentence("accuracy", "准确率")
PICTURE_ECE = Sentence("expected calibration error {ece}", "期望校准误差 {ece}")

# ---- sampling ----

ABOUT_SAMPLE = Sentence("let a trained language model go on with a text", "让训练好的语言模型续写文本")
FLAG_PROMPT = Sentence("the text to go on with", "要续写的文本")
FLAG_TOKENS = Sentence("how many tokens at most (200)", "最多生成多少个词元（200）")
FLAG_TEMPERATURE = Sentence("how bold: 0 always takes the most probable token (0.8)", "随机程度：0 表示总取最可能的词元（0.8）")
FLAG_TOP_K = Sentence("draw among the K most probable tokens", "只在最可能的 K 个词元中抽取")
FLAG_TOP_P = Sentence("draw among the fewest tokens that hold this probability together", "只在累计概率达到 P 的最少词元中抽取")
FLAG_SAMPLE_SEED = Sentence("the same seed gives the same text (0)", "相同的种子得到相同的文本（0）")
FLAG_SAMPLE_JSON = Sentence("print one JSON object", "输出一个 JSON 对象")
MORE_SAMPLE = Sentence(
    'Example: danlu sample runs/tinyshakespeare-2026-11-24-1 --prompt "ROMEO:" --tokens 300',
    '例如：danlu sample runs/tinyshakespeare-2026-11-24-1 --prompt "ROMEO:" --tokens 300',
)
SAMPLE_NO_PROMPT = Sentence('say what to go on with: --prompt "..."', '请给出要续写的文本：--prompt "..."')
SAMPLE_TASK = Sentence(
    "this run was trained for {task}, not to continue text; try danlu predict", "该运行的任务是 {task}，不是续写文本；请用 danlu predict"
)
SAMPLE_EMPTY = Sentence("the prompt holds nothing that the model's tokenizer knows", "提示文本中没有模型分词器认识的内容")
SAMPLE_RANGE = Sentence("{name} cannot be {value}", "{name} 不能是 {value}")
FLAG_NOT_NUMBER = Sentence("{flag}: `{found}` is not a number of the right kind", "{flag}：`{found}` 不是合适的数")

# ---- reading ----

ABOUT_READ = Sentence("print a run's metrics as a table", "以表格输出运行的指标")
FLAG_READ_CSV = Sentence("print CSV", "输出 CSV")
FLAG_READ_JSON = Sentence("print a JSON object a line", "每行输出一个 JSON 对象")
MORE_READ = Sentence(
    "Example: danlu read runs/digits-2026-11-24-1 --metric val_accuracy; in Python danlu.read(RUN) is a DataFrame",
    "例如：danlu read runs/digits-2026-11-24-1 --metric val_accuracy；在 Python 中 danlu.read(RUN) 得到 DataFrame",
)
READ_EXTRA = Sentence("danlu.read needs pandas: pip install 'danlu[table]'", "danlu.read 需要 pandas：pip install 'danlu[table]'")
