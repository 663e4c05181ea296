"""Sentences of `danlu look`."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_LOOK = Sentence(
    "a first look at data: size, kinds, missing, classes, leaks, and what to train",
    "先看一眼数据：规模、类型、缺失、类别、泄漏，以及建议的训练命令",
)
MORE_LOOK = Sentence(
    "data.path is a table (CSV, TSV, Parquet), a folder of images, text files (a file, a folder, a pattern), or jsonl. Nothing is trained or written.",
    "data.path 是表格（CSV、TSV、Parquet）、图像文件夹、文本文件（文件、文件夹或通配）或 jsonl。不训练，也不写入任何内容。",
)
FLAG_LOOK_OUT = Sentence("a new folder for a sheet of example images", "存放示例图像拼图的新文件夹")
FLAG_LOOK_JSON = Sentence("print JSON", "输出 JSON")
LOOK_WORD = Sentence("`{word}` is not understood; write {fields}", "无法理解 `{word}`；请写 {fields}")
LOOK_SUGGEST = Sentence("to train:\n  {command}", "训练命令：\n  {command}")
LOOK_TABLE = Sentence("a table of {rows} rows and {columns} columns: {path}", "表格，{rows} 行，{columns} 列：{path}")
LOOK_COLUMN = Sentence("column", "列")
LOOK_KIND = Sentence("kind", "类型")
LOOK_MISSING = Sentence("missing", "缺失")
LOOK_DISTINCT = Sentence("different", "不同值")
LOOK_VALUES = Sentence("values", "取值")
LOOK_KINDS = {
    "numeric": Sentence("numeric", "数值"),
    "categorical": Sentence("categorical", "类别"),
    "date": Sentence("date", "日期"),
    "text": Sentence("text", "文本"),
    "identifier": Sentence("identifier", "标识"),
    "row_number": Sentence("row number", "行号"),
    "constant": Sentence("constant", "常数"),
    "empty": Sentence("empty", "空"),
}
LOOK_TARGET = Sentence("to be predicted: `{target}`", "要预测的列：`{target}`")
LOOK_GUESSED = Sentence(
    "to be predicted: `{target}`, a guess; data.target=COLUMN says otherwise", "要预测的列：猜测为 `{target}`；可用 data.target=列名 指定"
)
LOOK_CLASSES = Sentence("{count} classes: {classes}", "{count} 个类别：{classes}")
LOOK_RARE = Sentence(
    "{count} classes have fewer than 10 rows, `{label}` has {rows}", "{count} 个类别少于 10 行，其中 `{label}` 有 {rows} 行"
)
LOOK_ONE_SIDED = Sentence(
    "`{label}` is {share} of the rows: accuracy alone will look good; look at AUROC or F1",
    "`{label}` 占 {share} 的行：仅看准确率会偏高；请看 AUROC 或 F1",
)
LOOK_NO_TARGET = Sentence("{count} rows have no `{target}` and will be left out", "{count} 行没有 `{target}`，将不使用")
LOOK_EMPTY = Sentence("nothing stands in: {columns}", "以下列全为空：{columns}")
LOOK_CONSTANT = Sentence("the same value everywhere: {columns}", "以下列处处相同：{columns}")
LOOK_ROW_NUMBER = Sentence("these number the rows and will be left out: {columns}", "以下列是行号，将不使用：{columns}")
LOOK_IDENTIFIER = Sentence(
    "nearly every row has its own value, like a name or an identifier; left out unless data.categorical names it: {columns}",
    "几乎每行取值都不同，如同名称或标识；除非 data.categorical 指定，否则不使用：{columns}",
)
LOOK_COPY = Sentence(
    "as often the same values as in `{target}`, perhaps a copy of it: {columns}",
    "取值次数与 `{target}` 完全相同，可能是它的副本：{columns}",
)
LOOK_REPEATED = Sentence(
    "{count} rows repeat an earlier one; a split by hash keeps equal rows together",
    "{count} 行与之前的行重复；按哈希划分会把相同的行放在一起",
)
LOOK_SHARED = Sentence("{count} rows of {parts} are in both: figures will look too good", "{parts} 中有 {count} 行同时出现：所得指标会偏高")
LOOK_IMAGES = Sentence("{count} images in {classes} classes: {path}", "{count} 张图像，{classes} 个类别：{path}")
LOOK_CLASS = Sentence("class", "类别")
LOOK_UNREADABLE = Sentence("cannot be read: {path}: {reason}", "无法读取：{path}：{reason}")
LOOK_SIZES = Sentence(
    "width x height: {least} at least, {median} in the middle, {greatest} at most; {colour} in colour, {grey} grey",
    "宽×高：最小 {least}，中位 {median}，最大 {greatest}；彩色 {colour} 张，灰度 {grey} 张",
)
LOOK_REPEATED_IMAGES = Sentence("{count} files repeat an earlier one", "{count} 个文件与之前的文件重复")
LOOK_TWO_CLASSES = Sentence("{count} images are there under more than one class", "{count} 张图像出现在不止一个类别下")
LOOK_FEW_IMAGES = Sentence("fewer than 10 images: {classes}", "不足 10 张图像的类别：{classes}")
LOOK_SHEET = Sentence("examples of each class: {path}", "各类别示例：{path}")
LOOK_TEXT = Sentence(
    "{files} text files: {characters} characters in {lines} lines, {different} different characters",
    "{files} 个文本文件：{characters} 个字符，{lines} 行，{different} 种字符",
)
LOOK_LINES = Sentence(
    "characters of a line: {least} to {greatest}, half have up to {median}", "每行字符数：{least} 到 {greatest}，中位 {median}"
)
LOOK_LETTERS = Sentence("the most frequent: {letters}", "最常见：{letters}")
LOOK_EMPTY_FILES = Sentence("nothing stands in: {files}", "以下文件为空：{files}")
LOOK_REPEATED_FILES = Sentence("{count} files repeat another", "{count} 个文件与其他文件重复")
LOOK_BEGINS = Sentence("{path} begins: {text}", "{path} 开头：{text}")
LOOK_LITTLE = Sentence(
    "{count} characters are too few to learn a language from; {least} are the least", "{count} 个字符不足以学习语言；至少需要 {least} 个"
)
LOOK_LEVEL = Sentence("it would be learned by: {level}", "将按此粒度学习：{level}")
LOOK_RECORDS = Sentence("{count} records in {path}; keys: {keys}", "{path} 中有 {count} 条记录；键：{keys}")
LOOK_BROKEN = Sentence("{count} lines are no records: {lines}", "{count} 行不是记录：{lines}")
LOOK_DIALOGUES = Sentence(
    "dialogues in {form} form; they are recognised, but not trained yet", "{form} 形式的对话；可以识别，但尚不支持训练"
)
LOOK_RECORD = Sentence("a record: {text}", "一条记录：{text}")
LOOK_NO_HEAD = Sentence(
    "the first line may be a row and not the names of the columns ({columns}); put a line of names above it",
    "第一行可能是数据而不是列名（{columns}）；请在其上方加一行列名",
)
LOOK_LENGTHS = Sentence(
    "`{column}` holds texts of {mean} characters on average, {greatest} at most",
    "`{column}` 是文本，平均 {mean} 个字符，最长 {greatest} 个",
)
