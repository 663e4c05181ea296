"""Checks a folded layer against torch's own layer and norm."""

import torch
from torch import nn

from danlu.errors import Sentence

HINTS = {
    "forgets_the_mean": Sentence(
        "Give the norm a running mean and nothing else: your layer takes no notice of it.",
        "只给归一化层一个滑动均值，其余不动：你的层对它毫无反应。",
    ),
    "forgets_the_bias": Sentence(
        "The bias of the layer has no effect in yours. The running mean was taken with it; is it gone from the sum?",
        "原来线性层的偏置在你这里不起作用。滑动均值是连着它一起统计的，可它在和里消失了吗？",
    ),
    "variance": Sentence(
        "You divide by the variance. In which units is a variance, and in which is x?",
        "你除以了方差。方差的单位是什么，x 的单位又是什么？",
    ),
    "columns": Sentence(
        "With as many inputs as units nothing fails, and it is wrong: you have scaled inputs. Which axis of the weight are the units?",
        "输入个数与单元个数相同时，程序不报错，结果却错了：你缩放的是输入。weight 的哪个轴是单元？",
    ),
    "no_eps": Sentence(
        "Right as long as the variance is large. A unit that hardly varies has a variance near zero: what keeps it from flying off?",
        "方差大的时候是对的。几乎不变的单元，方差接近零：是什么不让它飞出去？",
    ),
    "wrong": Sentence(
        "Write s = scale / sqrt(variance + eps), put x @ weight.T + bias into s * (... - mean) + shift, and collect what multiplies x.",
        "记 s = scale / sqrt(variance + eps)，把 x @ weight.T + bias 代入 s * (… − mean) + shift，再看 x 前面乘的是什么。",
    ),
}


def check(folded):
    """One part after the other, then all together, and a unit that hardly varies."""
    units = 4
    one, zero, draw = torch.ones(units), torch.zeros(units), torch.Generator().manual_seed(0)
    some = lambda *shape: torch.randn(*shape, generator=draw)
    weight, bias, mean = some(units, units), some(units), some(units)
    yield not torch.allclose(folded(weight, zero, one, zero, mean, one, 0.0)[1], zero), "forgets_the_mean"
    yield not torch.allclose(folded(weight, bias, one, zero, zero, one, 0.0)[1], zero), "forgets_the_bias"
    yield not torch.allclose(folded(weight, zero, one, zero, zero, 4 * one, 0.0)[0], weight / 4), "variance"
    scale = torch.tensor([1.0, 2.0, 3.0, 4.0])
    yield not torch.allclose(folded(weight, zero, scale, zero, zero, one, 0.0)[0], weight * scale), "columns"
    for inputs, variance, hint in ((4, 2.0, "wrong"), (7, 0.5, "wrong"), (7, 1e-6, "no_eps")):
        layer, norm, x = nn.Linear(inputs, units), nn.BatchNorm1d(units).eval(), some(5, inputs)
        with torch.no_grad():
            layer.weight.copy_(some(units, inputs))
            layer.bias.copy_(some(units))
            norm.weight.copy_(some(units))
            norm.bias.copy_(some(units))
            norm.running_mean.copy_(layer.bias)
            norm.running_var.fill_(variance)
            right = norm(layer(x))
            w, b = folded(layer.weight, layer.bias, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.eps)
            yield torch.allclose(x @ w.T + b, right, rtol=1e-3, atol=1e-4 * float(right.abs().max())), hint
