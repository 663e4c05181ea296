"""Sentences of `danlu.fit`: live modules, foreign loaders, notebooks."""

from danlu.errors import Sentence

FIT_NO_DATA = Sentence("no data given: danlu.fit(model, train, val)", "没有给出数据：danlu.fit(model, train, val)")
FIT_DATA = Sentence(
    "`{split}` is a {found}; give a DataLoader, a data set, (x, y) of arrays, a DataFrame with target=..., or danlu data",
    "`{split}` 是 {found}；请给出 DataLoader、数据集、数组 (x, y)、带 target=... 的 DataFrame，或 danlu 的数据",
)
FIT_DATA_WHOLE = Sentence(
    "data of danlu brings its own val, test and targets; give it alone, as `train`",
    "danlu 的数据自带验证集、测试集和目标；请只把它作为 `train` 给出",
)
FIT_LIVE_MODEL = Sentence(
    "with a loader or a data set the model must be a live nn.Module: one batch does not tell how many classes there are",
    "使用数据加载器或数据集时，模型必须是现成的 nn.Module：单个批次说明不了类别总数",
)
FIT_STREAM = Sentence(
    "an IterableDataset has no batches of its own; give DataLoader(data, batch_size=...) and steps=...",
    "IterableDataset 本身没有批次；请给出 DataLoader(data, batch_size=...) 和 steps=...",
)
FIT_BATCH_SIZE = Sentence(
    "batch_size={found} is given, but the loader makes batches of {own} itself; leave it out, or use micro_batch_size to split them",
    "给出了 batch_size={found}，但数据加载器自己生成大小为 {own} 的批次；请去掉它，或用 micro_batch_size 切分批次",
)
FIT_LIVE_RATE = Sentence("a live optimizer has its rate already; leave out lr=", "现成的优化器已有学习率；请去掉 lr=")
FIT_LIVE_OPTIMIZER = Sentence(
    "the optimizer does not move `{name}` of this model; make it of model.parameters(), or freeze what should not move",
    "优化器没有包含该模型的 `{name}`；请用 model.parameters() 创建它，或冻结不应更新的参数",
)
FIT_NO_TEST = Sentence("the run has neither test nor val data; give run.score(data)", "该运行没有测试或验证数据；请给出 run.score(data)")
FIT_INTERRUPTED = Sentence(
    "interrupted after step {step} of {total}; the model keeps what it learned, and run.go_on() goes on",
    "在第 {step} 步（共 {total} 步）后中断；模型保留已学到的内容，run.go_on() 可继续",
)
FIT_DIVERGED = Sentence(
    "{count} steps in a row, up to step {step}, had gradients that are inf or NaN and were skipped; lower the rate, or look at the data",
    "截至第 {step} 步，连续 {count} 步的梯度为 inf 或 NaN 并被跳过；请降低学习率，或检查数据",
)
FIT_PROGRESS = Sentence("progress of the training", "训练进度")
FIT_RUN = Sentence("run", "运行")
FIT_REPR = Sentence("Run after step {step} of {total}  {figures}", "运行：第 {step} 步，共 {total} 步  {figures}")
FRAME_TARGET = Sentence(
    "target={found} is no column of the DataFrame; its columns are: {columns}", "target={found} 不是 DataFrame 的列；其列为：{columns}"
)
FRAME_COLUMNS = Sentence(
    "these columns hold no numbers: {columns}; encode them, or save the table and train with `danlu train tabular data.path=...`",
    "这些列不是数值：{columns}；请先编码，或保存为表格并使用 `danlu train tabular data.path=...` 训练",
)
FRAME_DIFFER = Sentence("train, val and test have other columns: {columns}", "训练、验证、测试的列不一致：{columns}")
LOADER_ORDER = Sentence(
    "batches come from your loader, in its own order: a run that is gone on with later begins a new pass, so it is not repeated bit for bit",
    "批次由你的数据加载器按其自身顺序给出：之后继续的运行会重新开始一轮，因此无法逐位复现",
)
LOADER_ONCE = Sentence(
    "{found} is an iterator, which is used up after one pass; give a DataLoader, a list of batches, or an object with __iter__",
    "{found} 是迭代器，一轮之后就会耗尽；请给出 DataLoader、批次列表或带 __iter__ 的对象",
)
LOADER_EMPTY = Sentence("the loader ({found}) gives no batch", "数据加载器（{found}）没有给出任何批次")
LOADER_USED_UP = Sentence(
    "the loader ({found}) gave no batch in pass {number}: each iter(loader) must begin a new pass",
    "数据加载器（{found}）在第 {number} 轮没有给出批次：每次 iter(loader) 都必须开始新的一轮",
)
LOADER_SHORTER = Sentence(
    "the validation loader gave {rows} rows in its first pass and only {found} in a later one",
    "验证加载器第一轮给出 {rows} 行，之后一轮只有 {found} 行",
)
LOADER_NO_LENGTH = Sentence(
    "the loader ({found}) has no length; say how long to train with steps=...", "数据加载器（{found}）没有长度；请用 steps=... 指定训练步数"
)
BATCH_FORM = Sentence(
    "a batch is a {found}; batches must be (inputs, targets), a longer tuple with the targets last, or a dict",
    "批次是 {found}；批次必须是 (输入, 目标)、目标在最后的更长元组，或字典",
)
BATCH_LONG = Sentence(
    "a batch holds {found} inputs, but the model's forward has the parameters: {parameters}",
    "一个批次有 {found} 个输入，但模型的 forward 只有参数：{parameters}",
)
BATCH_TARGET = Sentence(
    "target={target} is for dicts and DataFrames; what is given is {found}", "target={target} 用于字典和 DataFrame；给出的是 {found}"
)
BATCH_NO_TARGET = Sentence(
    "a batch has no key {names}; say which holds the targets with target=...; its keys are: {found}",
    "批次没有键 {names}；请用 target=... 指明目标所在的键；现有的键：{found}",
)
BATCH_NAMES = Sentence(
    "a batch holds {found}, but the model's forward has the parameters {parameters}; give them the same names",
    "批次中有 {found}，但模型的 forward 的参数是 {parameters}；请让名称一致",
)
LOAD_LIVE_MODEL = Sentence(
    "the run {folder} trained a live module, which a folder cannot describe; give danlu.load(run, model=module) one of the same make",
    "运行 {folder} 训练的是现成的模块，文件夹无法描述它；请用 danlu.load(run, model=module) 给出同样结构的模块",
)
