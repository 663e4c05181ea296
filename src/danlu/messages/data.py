"""Sentences of data."""

from __future__ import annotations

from danlu.errors import Sentence

DATA_MISSING = Sentence(
    "the data set {name} is not on this machine, and its files are published nowhere in this form; put them here (or under $DANLU_DATA):\n"
    "{files}",
    "本机没有数据集 {name}，其文件也没有以这种形式公开发布的下载地址；请把文件放到以下位置（或 $DANLU_DATA 下）：\n{files}",
)
DATA_UNREACHABLE = Sentence(
    "the data set {name} is not on this machine, and {url} could not be fetched ({reason}); connect to a network and try again, "
    "or put these files here:\n{files}",
    "本机没有数据集 {name}，且无法下载 {url}（{reason}）；请联网后重试，或把以下文件放到相应位置：\n{files}",
)
DATA_DIFFERS = Sentence(
    "{path} is not the file that was expected: SHA-256 should be {expected}, found {found}; delete it and run again, or put the right file there",
    "{path} 不是预期的文件：SHA-256 应为 {expected}，实际为 {found}；请删除后重新运行，或换成正确的文件",
)
DOWNLOAD_DIFFERS = Sentence(
    "what came from {url} is not the file that was expected: SHA-256 should be {expected}, found {found}; nothing was kept; try again later",
    "从 {url} 下载的内容不是预期的文件：SHA-256 应为 {expected}，实际为 {found}；没有保存任何内容，请稍后再试",
)
DOWNLOAD_TOO_LARGE = Sentence(
    "{url} is larger than the {max_bytes} bytes that are allowed; nothing was kept",
    "{url} 超过了允许的 {max_bytes} 字节；没有保存任何内容",
)
CACHE_NOT_WRITABLE = Sentence(
    "cannot write {path} ({reason}); free some space or make the folder writable",
    "无法写入 {path}（{reason}）；请腾出磁盘空间，或使该文件夹可写",
)
IMAGE_UNREADABLE = Sentence(
    "image {row} of {path} cannot be read ({reason}); replace the file",
    "{path} 中的第 {row} 张图像无法读取（{reason}）；请更换该文件",
)
DATA_FILE_UNREADABLE = Sentence(
    "{path} cannot be read as {kind} ({reason}); replace the file",
    "{path} 无法作为 {kind} 读取（{reason}）；请更换该文件",
)
ARCHIVE_PACKED = Sentence(
    "{path}: its part {part} is packed, {found} bytes that would become {size}; packed archives are not read: save it again with torch.save or "
    "numpy.savez, which do not pack",
    "{path}：其中的 {part} 是压缩的，{found} 字节会变成 {size} 字节；不读取压缩过的归档：请用不压缩的 torch.save 或 numpy.savez 重新保存",
)
ARCHIVE_OVERLAPS = Sentence(
    "{path}: its parts together would be {size} bytes, more than the {found} of the file; it was not read: save it again with torch.save or "
    "numpy.savez",
    "{path}：其各部分合计会有 {size} 字节，超过文件本身的 {found} 字节；未读取：请用 torch.save 或 numpy.savez 重新保存",
)
ROW_WIDTH = Sentence(
    "{path}, row {row}: {found} fields, expected {expected}; correct the row",
    "{path} 第 {row} 行有 {found} 个字段，应为 {expected} 个；请改正这一行",
)
NOT_A_NUMBER = Sentence(
    "column `{column}`, row {row}: `{value}` is not a number; correct it, or leave it empty if it is missing",
    "列 `{column}` 第 {row} 行：`{value}` 不是数值；请改正，若为缺失值请留空",
)
TEXT_TOO_SHORT = Sentence(
    "the {split} text has {tokens} tokens, too few for a window of {length}; it needs at least {least}: use more text or a smaller length",
    "{split} 文本只有 {tokens} 个词元，不够一个长度为 {length} 的窗口，至少需要 {least} 个；请增加文本或减小 length",
)
NO_SOURCE_FILES = Sentence(
    "{folder} holds no Python source files, so there is no corpus to make; use a Python that ships its library as files",
    "{folder} 中没有 Python 源文件，无法生成语料；请使用以文件形式自带标准库的 Python",
)
NOT_DATA = Sentence(
    "`data` must be a data description, a Data, or arrays as (x, y) or ((x, y), (x_val, y_val)); found {found}",
    "`data` 必须是数据描述、Data，或形如 (x, y)、((x, y), (x_val, y_val)) 的数组；现在是 {found}",
)
ROWS_DIFFER = Sentence(
    "{split} has {inputs} rows of inputs but {targets} of targets; give every input one target",
    "{split} 的输入有 {inputs} 行，目标却有 {targets} 行；请让每行输入对应一个目标",
)
DATA_SHAPES_DIFFER = Sentence(
    "validation rows have shape {val}, training rows {train}; bring both to one shape",
    "验证数据每行的形状为 {val}，训练数据为 {train}；请统一形状",
)
EMPTY_SPLIT = Sentence(
    "the {split} data has no rows; give it some, or leave the split out",
    "{split} 数据一行也没有；请提供数据，或去掉这一部分",
)
NOT_FINITE = Sentence(
    "{split} `{part}`, row {row}, column {column}: {value} is not a finite number; remove the row or fill in the value",
    "{split} 的 `{part}` 第 {row} 行、列 {column}：{value} 不是有限的数值；请删除该行或补上数值",
)
LABEL_OUT_OF_RANGE = Sentence(
    "{split} targets, row {row}: the label {value} is outside 0..{last} (there are {classes} classes); correct the label",
    "{split} 的目标第 {row} 行：标签 {value} 不在 0..{last} 之内（共 {classes} 类）；请改正标签",
)
TOKEN_OUT_OF_RANGE = Sentence(
    "{split} `{part}`, row {row}, column {column}: the token id {value} is outside the vocabulary 0..{last}; "
    "encode the text with the tokenizer of the model",
    "{split} 的 `{part}` 第 {row} 行、列 {column}：词元编号 {value} 超出词表 0..{last}；请用与模型一致的分词器重新编码",
)
CATEGORY_OUT_OF_RANGE = Sentence(
    "{split} inputs, row {row}, column {column}: the category {value} is outside 0..{last}; 0 stands for unknown ones",
    "{split} 的输入第 {row} 行、列 {column}：类别编号 {value} 不在 0..{last} 之内；未知类别应记为 0",
)
TARGET_COLUMNS = Sentence(
    "{split} targets have {found} columns, but the data says {expected} outputs; bring the two together",
    "{split} 的目标有 {found} 列，而数据声明的输出数为 {expected}；请使两者一致",
)
WORKER_DIED = Sentence(
    "data worker {worker} of {workers} (process {pid}) ended unexpectedly with exit code {code}; it may have run out of memory: "
    "set workers to a smaller number, or to 0 to fetch rows in the main process",
    "{workers} 个数据进程中的第 {worker} 个（进程号 {pid}）意外退出（退出码 {code}），可能是内存不足；请减小 workers，或设为 0 在主进程中读取",
)
