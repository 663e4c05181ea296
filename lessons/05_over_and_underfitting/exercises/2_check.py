"""Checks the diagnosis on six cases."""

from danlu.errors import Sentence

HINTS = {
    "not_a_word": Sentence(
        "The answer must be one of three words: done, bigger, data.",
        "答案必须是三个词之一：done、bigger、data。",
    ),
    "by_the_gap": Sentence(
        "A gap between training and new rows is no illness of its own. Here new rows are as good as wanted, though training rows are better still.",
        "训练数据与新数据之间有差距，本身不是病。这里新数据已经达到要求，只是训练数据更好。",
    ),
    "always_data": Sentence(
        "The network cannot even do the rows that it has seen a hundred times. What would more of them change?",
        "网络连见过上百遍的行都做不好。再多给一些，能改变什么？",
    ),
    "always_bigger": Sentence(
        "The training rows are already as good as wanted. A bigger model could only make better what is good enough.",
        "训练数据已经达到要求。更大的模型只会让够好的变得更好。",
    ),
    "train_only": Sentence(
        "You judged by the training rows alone. Nobody wants to know what is known already.",
        "你只看了训练数据。已经知道的东西，没有人要再问。",
    ),
    "strictly": Sentence(
        "An error that is exactly the wanted one is as good as wanted.",
        "误差恰好等于希望值，就是达到了。",
    ),
}


def check(helps):
    """One case for each mistake."""
    yield helps(0.05, 0.30, 0.10) in ("done", "bigger", "data"), "not_a_word"
    yield helps(0.05, 0.30, 0.10) != "done", "train_only"
    yield helps(0.05, 0.30, 0.10) == "data", "always_bigger"
    yield helps(0.01, 0.08, 0.10) == "done", "by_the_gap"
    yield helps(0.25, 0.27, 0.10) == "bigger", "always_data"
    yield helps(0.05, 0.10, 0.10) == "done" and helps(0.10, 0.30, 0.10) == "data", "strictly"
