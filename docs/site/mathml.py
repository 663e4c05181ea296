"""Formulas as MathML, which browsers draw by themselves: no script, no network."""

from latex2mathml.converter import convert


def inline(self, node):
    """`$...$`"""
    self.body.append(convert(node.astext()))
    raise_skip()


def block(self, node):
    """`$$...$$`"""
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>\n')
    raise_skip()


def raise_skip():
    """Sphinx is done with this node."""
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
