"""Sphinx settings of one language of the site; `build.py` writes the pages and says which language (`-D language=`)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "danlu 丹炉"
author = "danlu"
copyright = "the danlu authors, Apache-2.0"
extensions = ["myst_parser", "mathml", "chinese"]
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["danlu.css"]
html_theme = "furo"
html_title = "danlu 丹炉"
html_show_sphinx = False
html_copy_source = False
html_math_renderer = "mathml"
pygments_style, pygments_dark_style = "friendly", "monokai"
exclude_patterns = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
