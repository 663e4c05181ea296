"""Checks a way of dealing rows: by what they hold, for good, and in the right share."""

from danlu.errors import Sentence

HINTS = {
    "not_words": Sentence(
        "For each row there must be one word, train or test, in the order of the rows.",
        "每一行都要有一个词：train 或 test，顺序与行相同。",
    ),
    "chance": Sentence(
        "Asked twice about the same table, you deal it differently. Whoever trains again tomorrow would be tested on rows that were trained on today.",
        "同一张表问两次，你分得不一样。明天重新训练的人，就会用今天训练过的行来测试。",
    ),
    "target": Sentence(
        "Two rows that differ only in their target went different ways. The model sees the same inputs in training and in the test: is the target part of what it sees?",
        "两行只有目标不同，却分到了两边。模型在训练和测试时看到的输入相同：目标属于它看到的东西吗？",
    ),
    "order": Sentence(
        "The same row with its columns in another order went another way. A table may be written with its columns in any order: what should not count?",
        "同一行只是换了列的顺序，就分到了另一边。写表格时列可以按任何顺序排：什么不该起作用？",
    ),
    "place": Sentence(
        "When rows were added in front, old rows changed their parts. Your answer depends on where a row stands, or on how many there are. Which of a row's properties never change?",
        "前面加了几行之后，原来的行换了部分。你的答案取决于行的位置或总行数。一行的哪些东西永远不变？",
    ),
    "joined": Sentence(
        'Values that are simply strung together can be confused: "1" and "23" make the same text as "12" and "3". What could stand between two values?',
        "直接把值连在一起会混淆：“1”和“23”连起来，与“12”和“3”一样。两个值之间可以放点什么？",
    ),
    "share": Sentence(
        "Of many different rows the share of test is far from what was asked for.",
        "在许多不同的行里，测试集所占的比例与要求的差得很远。",
    ),
}


def check(deal):
    """On a table of numbers: twice, with other targets, other places, other orders."""
    rows = [{"a": str(n), "b": str(n * n % 97), "y": str(n % 3)} for n in range(2000)]
    parts = deal([dict(row) for row in rows], "y", 0.2)
    yield isinstance(parts, list) and len(parts) == len(rows) and set(parts) <= {"train", "test"}, "not_words"
    yield deal([dict(row) for row in rows], "y", 0.2) == parts, "chance"
    more = [{"a": str(-n), "b": "0", "y": "1"} for n in range(1, 38)]
    yield deal([*more, *map(dict, rows)], "y", 0.2)[len(more) :] == parts, "place"
    yield deal([{**row, "y": "9"} for row in rows], "y", 0.2) == parts, "target"
    yield deal([dict(reversed(row.items())) for row in rows], "y", 0.2) == parts, "order"
    here = deal([{"a": str(n), "b": "2" + str(n), "y": "0"} for n in range(400)], "y", 0.5)
    yield here != deal([{"a": str(n) + "2", "b": str(n), "y": "0"} for n in range(400)], "y", 0.5), "joined"
    yield 0.15 < parts.count("test") / len(parts) < 0.25 and 0.4 < deal(rows, "y", 0.5).count("test") / len(rows) < 0.6, "share"
