"""Sentences of cross-validation, intervals, baselines."""

from __future__ import annotations

from danlu.errors import Sentence

FLAG_BASELINES = Sentence(
    "also what simple methods reach on the same rows (majority, linear, boosting; counts for language)",
    "同时给出简单方法在相同行上的结果（多数类、线性、梯度提升；语言模型为计数）",
)
BASELINE_MAJORITY = Sentence("majority class", "多数类")
BASELINE_MEAN = Sentence("mean", "均值")
BASELINE_LINEAR = Sentence("linear", "线性模型")
BASELINE_BOOSTING = Sentence("gradient boosting", "梯度提升树")
BASELINE_UNIGRAM = Sentence("token shares", "词元频率")
BASELINE_BIGRAM = Sentence("token pairs", "词元对")
BASELINE_NET = Sentence("this net", "该网络")
BASELINES_HEAD = Sentence(
    "beside simple methods on the same rows (net minus method, 95 % interval)", "与简单方法在相同行上的比较（网络减去该方法，95% 区间）"
)
BASELINES_NONE = Sentence("there is no baseline for a task of the kind {task}", "{task} 类任务没有基线")
INTERVALS_NOTE = Sentence(
    "in brackets: 95 % bootstrap intervals over the rows; another training would give other figures still",
    "方括号内：按行自助抽样的 95% 区间；重新训练还会带来其他差异",
)
FLAG_FOLDS = Sentence(
    "cross-validate a RECIPE: train it so many times, each time on other rows, and measure the rows held out",
    "对 RECIPE 做交叉验证：训练若干次，每次留出不同的行并在其上评估",
)
FLAG_REPEATS = Sentence("deal the rows anew so many times", "重新划分的次数")
FLAG_NESTED = Sentence(
    "choose a setting within each fold, by folds of its own: --nested optimizer.lr=1e-3,1e-2",
    "在每一折内部再分折选择设置：--nested optimizer.lr=1e-3,1e-2",
)
FOLDS_RANGE = Sentence(
    "cross-validation needs at least 2 folds and 1 repeat; found {folds} and {repeats}",
    "交叉验证至少需要 2 折和 1 次重复；给出的是 {folds} 和 {repeats}",
)
FOLDS_TOO_MANY = Sentence(
    "there are {found} different rows (or groups, or times) to deal, fewer than the {folds} folds asked for; ask for fewer",
    "只有 {found} 个不同的行（或组、时间）可分，少于要求的 {folds} 折；请减少折数",
)
FOLDS_TIME_REPEATS = Sentence("folds in time have one order; leave out --repeats", "按时间的折只有一种顺序；请去掉 --repeats")
FOLDS_NO_ROWS = Sentence(
    "these data ({found}) are no rows that can be dealt into folds; a language model is measured on text held out: danlu evaluate RUN",
    "这些数据（{found}）不是可以分折的行；语言模型请在留出的文本上评估：danlu evaluate RUN",
)
FOLDS_NUMBER = Sentence("{flag} must be a whole number; found {found}", "{flag} 必须是整数；给出的是 {found}")
FOLDS_ALONE = Sentence("{flag} goes with --folds", "{flag} 需与 --folds 一起使用")
FOLDS_WITH = Sentence("--folds trains anew; it does not go with {flag}", "--folds 会重新训练；不能与 {flag} 一起使用")
NESTED_FORM = Sentence("--nested must be field=value,value,...; found {found}", "--nested 必须是 字段=值,值,...；给出的是 {found}")
FOLD_DONE = Sentence(
    "fold {number} of {count}: {trained} rows trained, {held} held out; {figures}",
    "第 {number}/{count} 折：训练 {trained} 行，留出 {held} 行；{figures}",
)
FOLDS_HEAD = Sentence("{count} trainings, each measured on the rows that it did not see", "共 {count} 次训练，每次都在未见过的行上评估")
FOLDS_COLUMNS = (Sentence("mean", "均值"), Sentence("std", "标准差"), Sentence("95 % interval of the mean", "均值的 95% 区间"))
FOLDS_NOTE = Sentence(
    "the interval allows for rows that trainings share (Nadeau and Bengio 2003)", "区间已考虑各次训练共用的行（Nadeau 与 Bengio，2003）"
)
FOLDS_CHOSEN = Sentence("chosen within the folds: {chosen}", "各折内部选择的设置：{chosen}")
