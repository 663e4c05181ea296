"""Sentences of what is seen of the loss around a trained model."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_HESSIAN = Sentence(
    "look at the loss around a trained model: its largest curvatures, their sum, how far it rises nearby, its shape",
    "看训练好的模型周围的损失：最大的曲率、曲率之和、附近会升高多少、曲面的形状",
)
MORE_HESSIAN = Sentence(
    "top: the largest eigenvalues of the Hessian, and the density of all of them (Lanczos)\n"
    "trace: the sum of all eigenvalues, and the share of each parameter (Hutchinson)\n"
    "sharpness: how far the loss rises within a distance of the weights, in the worst direction, along the gradient, on average\n"
    "surface: the loss along two random directions, filter by filter as long as the weights (Li et al. 2018)\n"
    "Without a word, all four. The loss is the recipe's, its mean over rows, without dropout or penalties.\n"
    "danlu hessian runs/digits --out looked\n"
    "danlu hessian runs/digits surface --points 41 --out looked",
    "top：Hessian 矩阵最大的特征值，以及全部特征值的密度（Lanczos）\n"
    "trace：全部特征值之和，以及各参数所占的部分（Hutchinson）\n"
    "sharpness：在权重附近一定距离内损失会升高多少：最坏的方向、沿梯度方向、平均\n"
    "surface：损失沿两个随机方向的曲面，方向逐滤波器归一化（Li 等，2018）\n"
    "不写则四项都看。损失是配方的损失对各行的平均，不含 dropout 与惩罚项。\n"
    "danlu hessian runs/digits --out looked\n"
    "danlu hessian runs/digits surface --points 41 --out looked",
)
HESSIAN_WHAT = Sentence("look at what? there are {known}; found `{found}`", "要看什么？有 {known}；现在是 `{found}`")
HESSIAN_FLAG = Sentence("{flag} is for `{what}`", "{flag} 只用于 `{what}`")
HESSIAN_NUMBER = Sentence("{flag}: {expected} is expected; found `{found}`", "{flag}：应为{expected}；现在是 `{found}`")
HESSIAN_WHOLE = Sentence("a whole number of at least {least}", "不小于 {least} 的整数")
HESSIAN_POSITIVE = Sentence("a number above 0", "大于 0 的数")
FLAG_HESSIAN_SPLIT = Sentence("whose rows (train)", "用哪部分的数据行（train）")
FLAG_HESSIAN_ROWS = Sentence("how many rows the loss is the mean of (512)", "对多少行求平均损失（512）")
FLAG_HESSIAN_OUT = Sentence("write the pictures and hessian.json into the new folder DIR", "把图和 hessian.json 写到新文件夹 DIR")
FLAG_HESSIAN_COUNT = Sentence("top: how many eigenvalues (5)", "top：要几个特征值（5）")
FLAG_HESSIAN_STEPS = Sentence("top: products with the Hessian at most (80)", "top：最多做多少次 Hessian 向量积（80）")
FLAG_HESSIAN_DRAWS = Sentence("trace: random vectors (32)", "trace：随机向量的个数（32）")
FLAG_HESSIAN_RADIUS = Sentence("sharpness: the distance from the weights (0.05)", "sharpness：离权重的距离（0.05）")
FLAG_HESSIAN_SPAN = Sentence("surface: how far along each direction (1)", "surface：沿每个方向走多远（1）")
FLAG_HESSIAN_POINTS = Sentence("surface: points along each direction (21)", "surface：每个方向上的点数（21）")
FLAG_HESSIAN_JSON = Sentence("print JSON", "输出 JSON")
HESSIAN_AT = Sentence(
    "step {step}, loss {loss:.5g} over {rows:,} rows of {split}", "第 {step} 步，{split} 的 {rows:,} 行上损失为 {loss:.5g}"
)
HESSIAN_TOP = Sentence(
    "largest eigenvalues ({products} products): {values}; the lowest of all {lowest:.3g}",
    "最大的特征值（{products} 次乘积）：{values}；最小的为 {lowest:.3g}",
)
HESSIAN_EDGE = Sentence(
    "gradient descent at a rate of {rate:.3g} is stable below {edge:.3g}", "以学习率 {rate:.3g} 做梯度下降，特征值低于 {edge:.3g} 才稳定"
)
HESSIAN_TRACE = Sentence(
    "trace {mean:.4g} ± {error:.2g} ({draws} vectors); most of it in {name}: {share:.0%}",
    "迹 {mean:.4g} ± {error:.2g}（{draws} 个向量）；其中最多的在 {name}：{share:.0%}",
)
HESSIAN_SHARP = Sentence(
    "within {radius:.3g} of the weights the loss rises by up to {worst:.3g} (along the gradient {ahead:.3g}, on average {mean:.3g})",
    "离权重 {radius:.3g} 以内，损失最多升高 {worst:.3g}（沿梯度 {ahead:.3g}，平均 {mean:.3g}）",
)
HESSIAN_SURFACE = Sentence(
    "over the surface, {points} x {points} points up to {span:.3g} away, the loss is {low:.4g} to {high:.4g}",
    "曲面上（{points} x {points} 个点，最远 {span:.3g}）损失为 {low:.4g} 到 {high:.4g}",
)
HESSIAN_AXIS_VALUE = Sentence("eigenvalue", "特征值")
HESSIAN_AXIS_DENSITY = Sentence("share of the spectrum", "占全部特征值的比例")
HESSIAN_DENSITY = Sentence("density, estimated", "估计的密度")
HESSIAN_LARGEST = Sentence("the largest", "最大的几个")
HESSIAN_AXIS_VECTORS = Sentence("random vectors", "随机向量数")
HESSIAN_AXIS_TRACE = Sentence("trace", "迹")
HESSIAN_MEAN_SO_FAR = Sentence("mean so far, and its standard error", "到此为止的平均值及其标准误")
HESSIAN_ONE_DRAW = Sentence("one vector", "单个向量")
HESSIAN_AXIS_RADIUS = Sentence("distance from the weights", "离权重的距离")
HESSIAN_AXIS_RISE = Sentence("rise of the loss", "损失的升高")
HESSIAN_WORST = Sentence("worst direction found", "找到的最坏方向")
HESSIAN_AHEAD = Sentence("along the gradient", "沿梯度方向")
HESSIAN_RANDOM = Sentence("random directions, mean", "随机方向的平均")
HESSIAN_FIRST = Sentence("first direction", "第一个方向")
HESSIAN_SECOND = Sentence("second direction", "第二个方向")
HESSIAN_LOSS = Sentence("loss", "损失")
HESSIAN_BY_PARAMETER = Sentence("trace of each parameter's block", "各参数块的迹")
