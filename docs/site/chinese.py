"""Search in Chinese pages by pairs of characters, in the index and in the question alike.

Sphinx cuts the index into words with jieba, but not what a reader types, so that a question finds only what happens to be one of those
words; and in Sphinx 9.0 its Chinese search stops with "ChineseStemmer is not defined". Pairs need no dictionary and always agree.
"""

from __future__ import annotations

import re

import snowballstemmer
from sphinx.search import SearchLanguage
from sphinx.search.en import SearchEnglish

HAN = r"\u3400-\u9fff"
_RUNS = re.compile(rf"[{HAN}]+|[A-Za-z0-9_]+")


def pairs(text: str) -> list[str]:
    """Words of Latin letters as they are, and each two neighbours of a run of Chinese characters."""
    found: list[str] = []
    for run in _RUNS.findall(text):
        alone = len(run) < 3 or run[0] < "\u3400"
        found += [run] if alone else [run[place : place + 2] for place in range(len(run) - 1)]
    return found


class Chinese(SearchLanguage):
    """Sphinx's interface to `pairs`. language_name: it names the stemmer in the browser, and that is the English one."""

    lang = "zh"
    language_name = "English"
    js_stemmer_rawcode = "english-stemmer.js"
    stopwords = SearchEnglish.stopwords
    js_splitter_code = r"""
function splitQuery(query) {
  return (query.match(/[\u3400-\u9fff]+|[A-Za-z0-9_]+/g) || []).flatMap((run) =>
    run.length < 3 || run[0] < "\u3400" ? [run] : Array.from({length: run.length - 1}, (_, place) => run.slice(place, place + 2)));
}
"""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.stemmer = snowballstemmer.stemmer("english")

    def split(self, input: str) -> list[str]:
        return pairs(input)

    def word_filter(self, word: str) -> bool:
        return len(word) > 1 and word not in self.stopwords

    def stem(self, word: str) -> str:
        return str(self.stemmer.stemWord(word.lower()))


def setup(app):
    """Called by Sphinx."""
    app.add_search_language(Chinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
