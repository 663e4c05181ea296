"""Build the site in both languages out of what is in the repository: `python docs/site/build.py [OUT]` (build/site).

No lesson is run: figures and values are those that were recorded. A blank value, a missing picture, a broken link and any warning of Sphinx
fail the build.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

LANGUAGES = {"en": "en", "zh": "zh_CN"}  # ours, Sphinx's
INDEX = """<!doctype html><meta charset="utf-8"><title>danlu 丹炉</title>
<script>location.replace((navigator.language || "").startsWith("zh") ? "zh/index.html" : "en/index.html")</script>
<p><a href="en/index.html">English</a> · <a href="zh/index.html">中文</a></p>
"""


def write_pages(language: str, folder: Path) -> None:
    """The source folder that Sphinx reads."""
    from pages import Site

    site = Site(language)
    for name, text in site.pages().items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip() + "\n", "utf-8")
    for name, picture in site.pictures():
        shutil.copyfile(picture, folder / name)


def build(out: Path) -> int:
    """0, or what Sphinx returned."""
    from sphinx.cmd.build import build_main

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for language, name in LANGUAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "source"
            source.mkdir()
            write_pages(language, source)
            options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(HERE), "-D", f"language={name}", "-A", f"language={language}"]
            code = build_main([*options, "-d", str(Path(folder) / "trees"), str(source), str(out / language)])
            if code:
                return int(code)
    (out / "index.html").write_text(INDEX, "utf-8")
    return 0


if __name__ == "__main__":
    began = time.perf_counter()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1] / "build" / "site"
    failed = build(target)
    print(f"{target}: {'FAILED' if failed else 'built'} in {time.perf_counter() - began:.1f} s")
    sys.exit(failed)
