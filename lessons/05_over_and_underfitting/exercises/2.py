"""What would help: a bigger model, more data, or nothing any more?

中文：什么会有帮助：更大的模型、更多的数据，还是什么都不必？
"""


def helps(train_error: float, new_error: float, wanted: float) -> str:
    """One word for what to try first, given the error on training rows, on new rows, and the one that is wanted on new rows.

    `done` where new rows are as good as wanted (or better); else `bigger` where even the training rows are not; else `data`.

    中文：给出训练误差、新数据误差，以及希望新数据达到的误差，用一个词说先试什么。新数据已经达到（或更好）就是 `done`；
    否则，如果连训练数据都达不到，就是 `bigger`；再否则是 `data`。
    """
    raise NotImplementedError
