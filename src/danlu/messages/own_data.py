"""Sentences of a person's own files: tables, images, text, and a look at them."""

from __future__ import annotations

from danlu.errors import Sentence

# ---- tables: reading ----

TABLE_NO_FILE = Sentence(
    "there is no file {path}; give the path of a table: data.path=my.csv", "没有文件 {path}；请给出表格的路径：data.path=my.csv"
)
TABLE_EMPTY = Sentence(
    "{path} is empty; a table needs a line with the names of its columns and at least one row",
    "{path} 是空文件；表格需要一行列名和至少一行数据",
)
TABLE_HEADER_ONLY = Sentence("{path} has a line of column names but no rows", "{path} 只有列名，没有数据行")
TABLE_DUPLICATE = Sentence(
    "{path}: the column name `{column}` is there twice (columns {first} and {second}); rename one of them",
    "{path}：列名 `{column}` 出现了两次（第 {first} 列和第 {second} 列）；请改掉其中一个",
)
TABLE_SHORT_ROW = Sentence(
    "{path}, line {line}: {found} fields, expected {expected}; there is nothing for `{column}`",
    "{path} 第 {line} 行：有 {found} 个字段，应有 {expected} 个；缺少 `{column}`",
)
TABLE_LONG_ROW = Sentence(
    "{path}, line {line}: {found} fields, expected {expected}; `{value}` belongs to no column (a value that holds the delimiter needs quotes)",
    "{path} 第 {line} 行：有 {found} 个字段，应有 {expected} 个；`{value}` 不属于任何列（含分隔符的值要加引号）",
)
TABLE_BYTES = Sentence(
    "{path}, line {line}: the byte {byte} is neither UTF-8 nor GB18030; save the file as UTF-8",
    "{path} 第 {line} 行：字节 {byte} 既不是 UTF-8 也不是 GB18030；请把文件存为 UTF-8",
)
TABLE_MALFORMED = Sentence(
    "{path}, line {line}: {reason}; is a quotation mark left open?", "{path} 第 {line} 行：{reason}；是否有引号没有闭合？"
)
TABLE_PARQUET = Sentence("{path} cannot be read as Parquet ({reason})", "{path} 无法作为 Parquet 读取（{reason}）")
TABLE_EXTRA = Sentence("reading {path} needs pyarrow: pip install 'danlu[table]'", "读取 {path} 需要 pyarrow：pip install 'danlu[table]'")

# ---- tables: what a description may ask for ----

TABLE_NO_PATH = Sentence(
    "no table given; for example: danlu train tabular data.path=my.csv data.target=price",
    "没有给出表格；例如：danlu train tabular data.path=my.csv data.target=price",
)
TABLE_NO_TARGET = Sentence(
    "say which column is to be predicted: data.target=NAME; {path} has {columns}",
    "请说明要预测哪一列：data.target=列名；{path} 有这些列：{columns}",
)
TABLE_NO_COLUMN = Sentence(
    "{path} has no column `{column}` (data.{field}); it has {columns}", "{path} 中没有列 `{column}`（data.{field}）；它有 {columns}"
)
TABLE_TWO_ROLES = Sentence(
    "column `{column}` cannot be both data.{first} and data.{second}", "列 `{column}` 不能同时是 data.{first} 和 data.{second}"
)
TABLE_ONE_CLASS = Sentence(
    "the target `{target}` has one value only, `{label}`: there is nothing to learn; check data.target",
    "目标列 `{target}` 只有一个值 `{label}`，没有可学的内容；请检查 data.target",
)
TABLE_TARGET_MISSING = Sentence("every value of the target `{target}` is missing", "目标列 `{target}` 的值全部缺失")
TABLE_MANY_CLASSES = Sentence(
    "the target `{target}` holds {count} different values, more than {most} classes; check data.target, or write data.task=regress for numbers",
    "目标列 `{target}` 有 {count} 个不同的值，超过 {most} 个类别；请检查 data.target，若是数值请写 data.task=regress",
)
TABLE_TARGET_CONSTANT = Sentence(
    "the target `{target}` is the same number in all train rows: there is nothing to learn",
    "目标列 `{target}` 在训练行中是同一个数，没有可学的内容",
)
TABLE_NOT_NUMBER = Sentence(
    "column `{column}`, row {row}: `{value}` is not a finite number", "列 `{column}` 第 {row} 行：`{value}` 不是有限的数"
)
TABLE_NOT_DATE = Sentence(
    "column `{column}`, row {row}: `{value}` is not a date as in training ({order})",
    "列 `{column}` 第 {row} 行：`{value}` 不是训练时那样的日期（{order}）",
)
TABLE_NO_VALUE = Sentence(
    "column `{column}`, row {row}: a value is missing, and training saw none missing",
    "列 `{column}` 第 {row} 行：缺少值，而训练数据中没有缺失",
)
TABLE_UNKNOWN_LABEL = Sentence(
    "column `{column}`, row {row}: `{value}` is none of the classes ({labels})",
    "列 `{column}` 第 {row} 行：`{value}` 不在已知类别中（{labels}）",
)
TABLE_COLUMN_GONE = Sentence(
    "the column `{column}`, which the model was trained with, is missing; there are {columns}",
    "缺少模型训练时用到的列 `{column}`；现有的列：{columns}",
)
TABLE_NO_FEATURE = Sentence(
    "{path}: no column is left to predict `{target}` from; see data.numeric and data.categorical",
    "{path}：没有可用来预测 `{target}` 的列；参见 data.numeric 和 data.categorical",
)
TABLE_BAD_SPLIT = Sentence(
    "column `{column}`: the split `{value}` is none of train, val (valid, validation, dev), test",
    "列 `{column}`：划分 `{value}` 不是 train、val（valid、validation、dev）或 test",
)
TABLE_NO_TRAIN = Sentence("{path}: no row is left to train on", "{path}：没有可供训练的行")
TABLE_TIME_MISSING = Sentence(
    "column `{column}` (data.time), row {row}: `{value}` is neither a number nor a date",
    "列 `{column}`（data.time）第 {row} 行：`{value}` 既不是数也不是日期",
)

# ---- tables: what was found ----

TABLE_TASK = Sentence(
    "`{target}` is taken as {task} ({reason}); data.task=classify or data.task=regress says otherwise",
    "`{target}` 按 {task} 处理（{reason}）；可用 data.task=classify 或 data.task=regress 指定",
)
TABLE_FEW_INTEGERS = Sentence("{count} different whole numbers", "{count} 个不同的整数")
TABLE_MANY_NUMBERS = Sentence("numbers", "数值")
TABLE_TEXTS = Sentence("{count} different values", "{count} 个不同的值")
TABLE_SAID_SO = Sentence("{kind} columns: {columns}", "{kind}列：{columns}")
TABLE_KINDS = {
    "numeric": Sentence("numeric", "数值"),
    "categorical": Sentence("categorical", "类别"),
    "date": Sentence("date", "日期"),
}
TABLE_IDENTIFIER = Sentence(
    "column `{column}` is left out: it holds {count} different values, like an identifier or free text (data.categorical takes it in)",
    "未使用列 `{column}`：有 {count} 个不同的值，像编号或自由文本（可用 data.categorical 纳入）",
)
TABLE_ROW_NUMBER = Sentence(
    "column `{column}` is left out: every value is another whole number, like a row number (data.numeric takes it in)",
    "未使用列 `{column}`：每个值都是不同的整数，像行号（可用 data.numeric 纳入）",
)
TABLE_CONSTANT = Sentence("column `{column}` is left out: it is the same everywhere", "未使用列 `{column}`：所有值相同")
TABLE_ALL_MISSING = Sentence("column `{column}` is left out: every value is missing", "未使用列 `{column}`：值全部缺失")
TABLE_TOP = Sentence(
    "column `{column}`: {kept} of {count} categories are kept, the rarer ones count as unknown",
    "列 `{column}`：保留 {kept} 个类别（共 {count} 个），较少见的按未知处理",
)
TABLE_NEARLY_NUMERIC = Sentence(
    "column `{column}` holds numbers except for values like `{value}`, so it is no numeric column",
    "列 `{column}` 除 `{value}` 之类的值外都是数，因此不作为数值列",
)
TABLE_MISSING = Sentence(
    "column `{column}`: {count} values are missing in train; a column marks them",
    "列 `{column}`：训练行中有 {count} 个缺失值，另有一列标记",
)
TABLE_MISSING_CATEGORY = Sentence(
    "column `{column}`: {count} values are missing in train; they are a category of their own",
    "列 `{column}`：训练行中有 {count} 个缺失值，自成一类",
)
TABLE_DROPPED = Sentence("{count} rows without a value of `{target}` are left out", "去掉了 {count} 行缺少 `{target}` 的数据")
TABLE_NO_VALIDATION = Sentence(
    "class `{label}` has no validation row ({count} in train)", "类别 `{label}` 没有验证行（训练中有 {count} 行）"
)
TABLE_SPLIT_SIZES = Sentence("rows: {train} train, {val} val, {test} test, {how}", "行数：训练 {train}，验证 {val}，测试 {test}；{how}")
TABLE_HOW = {
    "hash": Sentence("split by a hash of the row", "按行内容的哈希划分"),
    "group": Sentence("split by a hash of the group", "按分组的哈希划分"),
    "time": Sentence("the newest rows are test, those before them val", "最新的行用于测试，其次用于验证"),
    "given": Sentence("split as given", "按给定划分"),
}
TABLE_SAMPLED = Sentence(
    "medians, means and categories come from {count} of the train rows, drawn by hash",
    "中位数、均值和类别由按哈希抽取的 {count} 个训练行得出",
)
