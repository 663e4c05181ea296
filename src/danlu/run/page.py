"""A self-contained HTML page in English and Chinese: one style, no script, nothing from outside, every text escaped.

The language is switched by two radio buttons and the style alone, so the page's policy can forbid all scripts. Light or dark follows the
system.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Any

from danlu.errors import Sentence, language

STYLE = """
:root{color-scheme:light dark;--paper:#faf8f5;--card:#fff;--ink:#23201d;--soft:#6d665f;--line:#e6e0d8;--code:#f3efe9;
--c0:#c0452c;--c1:#2468a8;--c2:#2f8556;--c3:#9456a8;--bad:#c62828}
@media(prefers-color-scheme:dark){:root{--paper:#171513;--card:#211e1b;--ink:#ece6df;--soft:#a59c92;--line:#38332e;--code:#1a1715;
--c0:#f0805f;--c1:#6fb1ec;--c2:#6cc794;--c3:#cb98dd;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.55;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
.switch{position:absolute;opacity:0}
.languages{position:absolute;top:16px;right:20px;font-size:14px;border:1px solid var(--line);border-radius:8px;overflow:hidden;
background:var(--card)}
.languages label{display:inline-block;padding:4px 12px;cursor:pointer;color:var(--soft)}
#en:checked~.languages [for=en],#zh:checked~.languages [for=zh]{background:var(--c0);color:var(--card)}
#en:focus-visible~.languages [for=en],#zh:focus-visible~.languages [for=zh]{outline:2px solid var(--c1);outline-offset:-2px}
#en:checked~main [lang=zh],#zh:checked~main [lang=en]{display:none}
h1{font-size:28px;line-height:1.25;margin:28px 0 6px;overflow-wrap:anywhere}
h2{font-size:18px;margin:36px 0 12px}
p{margin:8px 0}
.soft{color:var(--soft);font-size:14px}
.badge{display:inline-block;vertical-align:middle;margin-left:10px;padding:2px 11px;border-radius:99px;font-size:14px;font-weight:500;
border:1px solid currentColor;white-space:nowrap}
.good{color:var(--c2)}.wait{color:var(--c1)}.wrong{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:12px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:12px 16px}
.tile b{display:block;font-size:25px;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tile.first b{color:var(--c0)}
.tile span{color:var(--soft);font-size:14px;overflow-wrap:anywhere}
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr));gap:12px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:12px 6px 8px 10px}
figcaption{font-size:15px;font-weight:600;padding:0 6px 6px}
.curve{display:block;width:100%;height:auto}
.curve text{font-size:13px;fill:var(--soft);font-variant-numeric:tabular-nums}
.curve .end{text-anchor:end}.curve .mid{text-anchor:middle}
.curve .grid{stroke:var(--line);stroke-width:1}
.curve .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.curve .mark{stroke:var(--soft);stroke-dasharray:3 4}
.curve .bad{stroke:var(--bad);stroke-width:2}
.line.c0{stroke:var(--c0)}.line.c1{stroke:var(--c1)}.line.c2{stroke:var(--c2)}.line.c3{stroke:var(--c3)}
.dot.c0{fill:var(--c0)}.dot.c1{fill:var(--c1)}.dot.c2{fill:var(--c2)}.dot.c3{fill:var(--c3)}
.curve .name{font-weight:600}
.curve .name.c0{fill:var(--c0)}.curve .name.c1{fill:var(--c1)}.curve .name.c2{fill:var(--c2)}.curve .name.c3{fill:var(--c3)}
.curve .value{fill:var(--ink);font-weight:400}
pre{font:14px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Noto Sans Mono CJK SC",monospace;background:var(--code);
border:1px solid var(--line);border-radius:12px;padding:14px 16px;margin:6px 0 14px;overflow:auto;max-height:420px}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}
table{border-collapse:collapse;width:100%;font-size:15px}
th,td{text-align:left;vertical-align:top;padding:7px 16px;border-top:1px solid var(--line);overflow-wrap:anywhere}
tr:first-child>*{border-top:0}
th{font-weight:500;color:var(--soft);width:30%;min-width:110px}
.events th{width:auto;min-width:0;white-space:nowrap}
.events td:first-child{white-space:nowrap;color:var(--soft)}
@media(max-width:600px){main{padding:20px 14px 40px}h1{font-size:23px}th,td{padding:6px 10px}.tile b{font-size:22px}
.tiles{grid-template-columns:repeat(2,1fr)}}
@media print{.languages{display:none}pre{max-height:none}}
"""


def both(sentence: Sentence, **values: Any) -> str:
    """A sentence in both languages, of which the page shows one."""
    texts = ((lang, escape(text.format(**values))) for lang, text in zip(Sentence._fields, sentence))
    return "".join(f'<span lang="{lang}">{text}</span>' for lang, text in texts)


def tile(value: str, label: str, first: bool = False) -> str:
    """A figure with what it is below it. label: HTML."""
    return f'<div class="tile{" first" if first else ""}"><b>{escape(value)}</b><span>{label}</span></div>'


def table(rows: Iterable[tuple[str, str | Sentence]]) -> str:
    """Names (HTML) and values (text, or a sentence without values to fill); rows without a value are left out."""
    shown = ((name, both(value) if isinstance(value, Sentence) else escape(value)) for name, value in rows if value)
    inside = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in shown)
    return f'<div class="wide"><table>{inside}</table></div>'


def page(title: str, body: str) -> str:
    """The whole document around `body` (HTML made by the functions above)."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    radios = "".join(
        f'<input class="switch" type="radio" name="language" id="{lang}"{" checked" if lang == language() else ""}>'
        for lang in Sentence._fields
    )
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>{radios}"
        '<div class="languages"><label for="en">English</label><label for="zh">中文</label></div>\n'
        f"<main>{body}</main></body></html>\n"
    )
