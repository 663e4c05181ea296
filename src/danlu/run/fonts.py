"""The fonts that pictures are drawn with: one for Latin, and one that has Chinese where this machine keeps one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path

from danlu import messages
from danlu.errors import language, say

# Families that have Chinese, of every system; matplotlib may know a .ttc by its first face only, hence the JP and KR names
CJK = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB", "Heiti SC",
    "Heiti TC", "STHeiti", "Microsoft YaHei", "SimHei", "DengXian", "SimSun", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Songti SC",
    "Noto Serif CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Noto Serif CJK JP", "Arial Unicode MS",
    "Droid Sans Fallback",
)  # fmt: skip
PACKAGED = "cvttf_NotoSansCJK_Regular"  # what danlu[fonts] installs: a module beside which the font lies


def chinese_font() -> str | None:
    """A font family of this machine that has Chinese, or None."""
    from matplotlib import font_manager

    if found := _known():
        return found
    spec = util.find_spec(PACKAGED)
    for path in sorted(Path(spec.origin).parent.glob("*.otf")) if spec and spec.origin else ():
        font_manager.fontManager.addfont(path)
    return _known()


@contextmanager
def drawing(tell: Callable[[str], None]) -> Iterator[None]:
    """Inside, matplotlib draws with these fonts. tell: called with one sentence where Chinese was wanted and no font has it."""
    import matplotlib

    font = chinese_font()
    families = ["DejaVu Sans", *([font] if font else [])]  # names of runs and classes may be Chinese in any language
    with matplotlib.rc_context({"font.family": families, "axes.unicode_minus": False, "svg.hashsalt": "danlu"}):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    missing = [one for one in caught if "missing from font" in str(one.message)]
    if font is None and (missing or language() == "zh"):
        tell(say(messages.PLOT_NO_FONT))
    for one in caught:
        if one not in missing:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _known() -> str | None:
    from matplotlib import font_manager

    here = set(font_manager.get_font_names())
    return next((family for family in CJK if family in here), None)
