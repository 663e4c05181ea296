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
TABLE_GROWS = Sentence(
    "{path} has {found} bytes and says that it holds {rows} rows of {columns} columns, {times} times as much; it was not read. If it is yours, "
    "write it again without the columns that are the same in every row",
    "{path} 只有 {found} 字节，却声称有 {rows} 行 {columns} 列，是它的 {times} 倍；未读取。如果确是您的文件，请去掉每一行都相同的列后重新写出",
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
    "the target `{target}` has one value only, `{label}` (rows: {rows}): there is nothing to learn; check data.target",
    "目标列 `{target}` 只有一个值 `{label}`（共 {rows} 行），没有可学的内容；请检查 data.target",
)
TABLE_TARGET_MISSING = Sentence(
    "every value of the target `{target}` is missing (rows: {rows}), so 0 rows are left",
    "目标列 `{target}` 的值全部缺失（共 {rows} 行），剩余 0 行",
)
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

# ---- images ----

IMAGE_NO_PATH = Sentence(
    "no images given; for example: danlu train images data.path=folder, with a subfolder for each class",
    "没有给出图像；例如：danlu train images data.path=文件夹，其中每个类别一个子文件夹",
)
IMAGE_NO_FOLDER = Sentence("there is no folder {path}", "没有文件夹 {path}")
IMAGE_NONE = Sentence(
    "{path} holds no image in a subfolder; put the images of each class into a folder that is named after it (JPEG, PNG, BMP, WebP, GIF, TIFF)",
    "{path} 的子文件夹中没有图像；请把每个类别的图像放进以类别命名的文件夹（JPEG、PNG、BMP、WebP、GIF、TIFF）",
)
IMAGE_LOOSE = Sentence(
    "{path}: {count} images (such as {example}) lie in no class folder; move each into the folder of its class",
    "{path}：{count} 张图像（如 {example}）不在任何类别文件夹中；请把它们移到所属类别的文件夹里",
)
IMAGE_BESIDE_TRAIN = Sentence(
    "{path} holds class folders in `train`, but images in {folders} as well; only train, val and test may stand there, or only classes",
    "{path} 的 `train` 中有类别文件夹，但 {folders} 中也有图像；这一层只能是 train、val、test，或者只能是各个类别",
)
IMAGE_ONE_CLASS = Sentence(
    "{path} holds one class only, `{label}` ({count} images): there is nothing to tell apart; add a folder for another class",
    "{path} 只有一个类别 `{label}`（{count} 张图像），没有可区分的内容；请再加一个类别的文件夹",
)
IMAGE_UNKNOWN_LABEL = Sentence(
    "{path}: `{label}` is none of the trained classes ({labels})", "{path}：`{label}` 不是训练中的类别（{labels}）"
)
IMAGE_BAD_FILES = Sentence(
    "{count} images cannot be read; replace or remove them:\n{files}", "有 {count} 张图像无法读取；请更换或移除：\n{files}"
)
IMAGE_BAD_ARRAY = Sentence(
    "image {row} is an array of {dtype} {shape}; give bytes (uint8) as [height, width] or [height, width, 1, 3 or 4 channels]",
    "第 {row} 张图像是 {dtype} {shape} 数组；请给出字节（uint8），形状为 [高, 宽] 或 [高, 宽, 1、3 或 4 个通道]",
)
IMAGE_EMPTY_FOLDER = Sentence("{folder} holds no image and is left out", "{folder} 中没有图像，未使用")
IMAGE_OTHER_FILES = Sentence(
    "{path}: {count} files (such as {example}) are no images by their ending and are left out",
    "{path}：{count} 个文件（如 {example}）按扩展名不是图像，未使用",
)
IMAGE_CLASSES = Sentence("{count} classes: {labels}", "{count} 个类别：{labels}")
IMAGE_SPLIT_SIZES = Sentence("images: {train} train, {val} val, {test} test, {how}", "图像数：训练 {train}，验证 {val}，测试 {test}；{how}")
IMAGE_HOW = {
    "hash": Sentence("split by a hash of each file", "按文件内容的哈希划分"),
    "given": Sentence("split as given", "按给定划分"),
}
IMAGE_COLOURS = {1: Sentence("grey", "灰度"), 3: Sentence("colour", "彩色")}
IMAGE_FIT = {
    "crop": Sentence("the middle is cut out (data.fit=stretch keeps all)", "裁取中间部分（data.fit=stretch 则保留全部）"),
    "stretch": Sentence("stretched to fit", "拉伸到该尺寸"),
}
IMAGE_RESIZED = Sentence(
    "{count} images are resized to {height} x {width} pixels ({colour}): {fit}; data.size says otherwise",
    "{count} 张图像缩放为 {height}×{width} 像素（{colour}）：{fit}；可用 data.size 指定",
)
IMAGE_AS_IS = Sentence("images are {height} x {width} pixels ({colour})", "图像为 {height}×{width} 像素（{colour}）")
IMAGE_NO_VALIDATION = Sentence(
    "class `{label}` has no validation image ({count} in train)", "类别 `{label}` 没有验证图像（训练中有 {count} 张）"
)
IMAGE_TWO_CLASSES = Sentence(
    "{count} images are in more than one class, such as {first} and {second}",
    "{count} 张图像同时属于不止一个类别，例如 {first} 和 {second}",
)
IMAGE_TWO_PARTS = Sentence(
    "{count} images are in more than one of train, val and test, such as {first} and {second}: figures will look too good",
    "{count} 张图像同时出现在训练、验证、测试中的多处，例如 {first} 和 {second}：所得指标会偏高",
)

# ---- texts ----

TEXT_NO_PATH = Sentence(
    "no text given; for example: danlu train text data.path='books/*.txt'",
    "没有给出文本；例如：danlu train text data.path='books/*.txt'",
)
TEXT_NO_TABLE = Sentence(
    "no texts given; for example: danlu train classify-text data.path=reviews.csv data.text=review data.target=label",
    "没有给出文本；例如：danlu train classify-text data.path=reviews.csv data.text=review data.target=label",
)
TEXT_NO_FILES = Sentence(
    "no text file is found at {path}; give a file, a folder that holds {endings}, or a pattern in quotes: data.path='books/*.txt'",
    "在 {path} 没有找到文本文件；请给出文件、含有 {endings} 的文件夹，或加引号的通配符：data.path='books/*.txt'",
)
TEXT_BINARY = Sentence(
    "{path}, line {line}: a zero byte, which no text holds; is this a text file?",
    "{path} 第 {line} 行：出现零字节，文本中不应有；这是文本文件吗？",
)
TEXT_DIALOGUES = Sentence(
    "{path} holds dialogues in {form} form; these are for fine-tuning a pretrained language model, which danlu cannot do yet. "
    "Give plain text, or a table for classify-text",
    "{path} 是 {form} 格式的对话数据，用于微调预训练语言模型，danlu 目前还不支持。请给出纯文本，或给 classify-text 一个表格",
)
TEXT_RECORDS = Sentence(
    "{path} is JSON, in neither the alpaca nor the messages form; give plain text, or a table for classify-text (CSV, TSV, Parquet)",
    "{path} 是 JSON，既不是 alpaca 也不是 messages 格式；请给出纯文本，或给 classify-text 一个表格（CSV、TSV、Parquet）",
)
TEXT_EMPTY_FILE = Sentence("{path} holds no text and is left out", "{path} 中没有文本，未使用")
TEXT_ALIKE = Sentence(
    "{path}: its {count} characters are the same passage again and again, so none can be set aside for validation; give data.val_path",
    "{path} 的 {count} 个字符只是同一段落的反复，无法留出验证文本；请用 data.val_path 指定",
)
TEXT_TOO_FEW = Sentence(
    "{path} has {count} characters, too few to set validation text aside; give at least {least} or so, or data.val_path",
    "{path} 有 {count} 个字符，不足以留出验证文本；请给出至少约 {least} 个字符，或用 data.val_path 指定",
)
TEXT_SIZES = Sentence(
    "{files} files; characters: {train} train, {val} val, {test} test; {kind}, {vocab} token ids (data.level says otherwise)",
    "{files} 个文件；字符数：训练 {train}，验证 {val}，测试 {test}；{kind}，{vocab} 个词元（可用 data.level 指定）",
)
TEXT_LEVELS = {
    "characters": Sentence("a token a character", "每个字符一个词元"),
    "words": Sentence("a token a word", "每个单词一个词元"),
    "bpe": Sentence("byte pairs", "字节对编码"),
}
TEXT_NO_COLUMN = Sentence(
    "say which column it is: data.{field}=NAME; {path} has {columns}", "请说明是哪一列：data.{field}=列名；{path} 有 {columns}"
)
TEXT_NO_ROWS = Sentence("{path}: no row has both `{text}` and `{target}`", "{path}：没有同时具备 `{text}` 和 `{target}` 的行")
TEXT_DROPPED = Sentence(
    "{path}: {count} rows without `{text}` or `{target}` are left out", "{path}：去掉了 {count} 行缺少 `{text}` 或 `{target}` 的数据"
)
TEXT_MANY_CLASSES = Sentence(
    "the target `{target}` holds {count} different values, more than {most} classes; check data.target",
    "目标列 `{target}` 有 {count} 个不同的值，超过 {most} 个类别；请检查 data.target",
)
TEXT_CLASSES = Sentence("{count} classes: {labels}", "{count} 个类别：{labels}")
TEXT_HOW = {
    "hash": Sentence("split by a hash of the text", "按文本内容的哈希划分"),
    "group": Sentence("split by a hash of the group", "按分组的哈希划分"),
    "given": Sentence("split as given", "按给定划分"),
}
TEXT_TWO_CLASSES = Sentence("{count} texts are there before with another label", "有 {count} 条文本与前面的文本相同，但标签不同")
TEXT_TWO_PARTS = Sentence(
    "{count} texts are in more than one of train, val and test: figures will look too good",
    "{count} 条文本同时出现在训练、验证、测试中的多处：所得指标会偏高",
)
TEXT_TOKENS = Sentence(
    "{kind}, {vocab} token ids; rows of {length} tokens, {cut} texts are cut (data.level and data.length say otherwise)",
    "{kind}，{vocab} 个词元；每行 {length} 个词元，{cut} 条文本被截断（可用 data.level 和 data.length 指定）",
)
NO_ROOM = Sentence(
    "the rows need {size} GB, and {folder} has no room for them: {reason}; free some, or set XDG_CACHE_HOME to a larger disk",
    "数据行需要 {size} GB，而 {folder} 空间不足：{reason}；请清理空间，或将 XDG_CACHE_HOME 设到更大的磁盘",
)
