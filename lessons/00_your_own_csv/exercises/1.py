"""Deal the rows of a table to train and test by what they hold.

中文：按行的内容，把表格的行分到训练集和测试集。
"""


def deal(rows: list[dict[str, str]], target: str, share: float) -> list[str]:
    """`train` or `test` for each row, in the order of the rows.

    rows: each {column: value}, the target among the columns
    share: of many different rows about this share is test

    Rows that are equal in all columns but the target belong to the same part, wherever they stand; and a row keeps its part when other
    rows are added, in another process too (Python's own hash() of a text is another one in each process; hashlib's are not).

    中文：按顺序返回每一行的 "train" 或 "test"。除目标列以外完全相同的行必须在同一部分，不管它们排在哪里；
    表格增加新行之后，原来的行所在的部分不变，换一个进程也不变（Python 自带的 hash() 对文本每个进程都不同，hashlib 的不会）。
    不同的行很多时，测试集大约占 share。
    """
    raise NotImplementedError
