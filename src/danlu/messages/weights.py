"""Sentences of weights that travel: export, import, a start from given weights."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_EXPORT = Sentence("write a trained model for other programs, and check it", "把训练好的模型写成其他程序可用的形式，并核对数值")
MORE_EXPORT = Sentence(
    "RUN is a folder, RUN@best, RUN@latest or RUN@step-N. What is written is read back, run on two batches, and compared with the model.",
    "RUN 是文件夹、RUN@best、RUN@latest 或 RUN@step-N。写出的内容会被读回，在两个批次上运行，并与模型比较。",
)
FLAG_EXPORT_TO = Sentence(
    "safetensors: weights; onnx, torch-export: a program; bundle: a folder with a predict.py that needs no danlu",
    "safetensors：权重；onnx、torch-export：程序；bundle：带 predict.py 的文件夹，无需 danlu",
)
FLAG_EXPORT_OUT = Sentence(
    "where to; never written over (default: named after the run, here)", "写到哪里；从不覆盖（默认：当前目录，以运行命名）"
)
EXPORTED = Sentence(
    "wrote {path}: the {weights} weights of step {step}; largest difference from the model {difference}",
    "已写入 {path}：第 {step} 步的 {weights} 权重；与模型的最大差异 {difference}",
)
EXPORT_KIND = Sentence("cannot export to {found}; choose --to from: {kinds}", "无法导出为 {found}；--to 可选：{kinds}")
EXPORT_UNKNOWN_INPUT = Sentence(
    "the run does not say of what form its model's inputs are; export it to safetensors",
    "该运行没有说明模型输入的形式；请导出为 safetensors",
)
EXPORT_SHAPE = Sentence(
    "the {to} program gives scores of shape {found} where the model gives {expected}; nothing was written",
    "{to} 程序给出形状 {found}，而模型给出 {expected}；未写入任何内容",
)
EXPORT_DIFFERS = Sentence(
    "the {to} program differs from the model by {difference}, more than rounding; nothing was written",
    "{to} 程序与模型相差 {difference}，超出舍入误差；未写入任何内容",
)
EXPORT_UNTRACED = Sentence(
    "the model cannot be written as {to}: {reason}\nexport it to safetensors, or give the part that torch names another form",
    "模型无法写成 {to}：{reason}\n请导出为 safetensors，或改写 torch 指出的部分",
)
BUNDLE_KIND = Sentence(
    "a bundle turns tables, images or texts into classes or numbers; this run is of task {task}, kind {kind}; export it to torch-export or "
    "safetensors",
    "bundle 把表格、图像或文本变成类别或数值；该运行的任务是 {task}，类型是 {kind}；请导出为 torch-export 或 safetensors",
)
BUNDLE_FAILS = Sentence(
    "the bundle's predict.py does not start: {reason}; nothing was written", "bundle 的 predict.py 无法启动：{reason}；未写入任何内容"
)
BUNDLE_README = Sentence(
    "# A trained model\n\n`python predict.py INPUT --out said.csv` writes what came in, the prediction and its probability. It needs Python "
    "3.11, torch and numpy; for images also Pillow, for Parquet pyarrow, for byte pairs tokenizers.\n\n`model.pt2` is the program (torch.export), `preprocess.json` says how "
    "raw input becomes its rows, `preprocessing/` does it.",
    "# 训练好的模型\n\n`python predict.py 输入 --out said.csv` 会写出输入、预测及其概率。需要 Python 3.11、torch 和 numpy；图像还需要 Pillow，Parquet 需要 pyarrow，"
    "字节对编码需要 tokenizers。\n\n`model.pt2` 是程序（torch.export），`preprocess.json` 说明原始输入如何变成模型的输入，`preprocessing/` 负责执行。",
)

ABOUT_IMPORT = Sentence(
    "write an old weight file (.pt, .pth, .bin, .ckpt) as safetensors", "把旧的权重文件（.pt、.pth、.bin、.ckpt）写成 safetensors"
)
MORE_IMPORT = Sentence(
    "The file is read as weights only: nothing in it is executed. Then: danlu train RECIPE --from OUT.safetensors",
    "文件只作为权重读取：其中的任何代码都不会执行。之后：danlu train 配方 --from OUT.safetensors",
)
IMPORTED = Sentence("wrote {path}: {count} tensors", "已写入 {path}：{count} 个张量")
IMPORTED_INSIDE = Sentence("they were inside: {keys}", "它们位于：{keys}")
IMPORTED_PREFIX = Sentence("`{prefix}` was taken off every name", "每个名称都去掉了 `{prefix}`")
IMPORTED_LEFT = Sentence("{count} things that are no tensors were left out: {names}", "{count} 项不是张量，已略去：{names}")
IMPORT_OUT = Sentence("{path}: weights are written as .safetensors; give such a name", "{path}：权重写成 .safetensors；请给出这样的名称")
IMPORT_NO_FILE = Sentence("there is no file {path}", "没有文件 {path}")
IMPORT_NO_TENSORS = Sentence("{path} holds no tensors; its keys are: {keys}", "{path} 中没有张量；其键为：{keys}")
IMPORT_EXECUTES = Sentence(
    "{path} is no file of weights alone: to read it, `{name}` would have to be executed, and that is not done; save model.state_dict() "
    "where the file was made",
    "{path} 不是纯权重文件：读取它必须执行 `{name}`，因此未读取；请在生成该文件的地方保存 model.state_dict()",
)
IMPORT_GROWS = Sentence(
    "{path} has {found} bytes, and its tensors would be written as {size}: many names, or long strides, for the same numbers; nothing was "
    "written: save a state_dict of plain tensors",
    "{path} 有 {found} 字节，而其中的张量写出后会有 {size} 字节：同一批数值有许多名称或超长的步幅；未写入任何内容：请保存由普通张量组成的 state_dict",
)
IMPORT_KIND = Sentence(
    "{path}: `{name}` is of a kind that safetensors cannot hold ({kind}); nothing was written: make it a plain dense tensor where the file was "
    "made",
    "{path}：`{name}` 的类型（{kind}）无法存入 safetensors；未写入任何内容：请在生成该文件的地方改成普通的稠密张量",
)
IMPORT_TOO_LONG = Sentence(
    "{path}: reading it took more than {seconds} s, which weights do not need; it was ended, nothing was written. Is the file what it should be?",
    "{path}：读取超过 {seconds} 秒，权重文件绝不需要这么久；已中止，什么都没有写入。这个文件是否正确？",
)
IMPORT_BROKEN = Sentence("{path} cannot be read as weights: {reason}", "{path} 无法作为权重读取：{reason}")
FLAG_FROM = Sentence(
    "start from the weights of a run, a .safetensors file, or hf:NAME; optimizer and schedule start fresh",
    "从某次运行、.safetensors 文件或 hf:名称 的权重开始；优化器和学习率计划重新开始",
)
FROM_TAKEN = Sentence("from {source}: {count} tensors taken", "来自 {source}：取用 {count} 个张量")
FROM_SKIPPED = Sentence("{count} skipped, of another shape: {names}", "{count} 个形状不同，已跳过：{names}")
FROM_NEW = Sentence("{count} are new, not in the source: {names}", "{count} 个是新的，来源中没有：{names}")
FROM_UNUSED = Sentence("{count} of the source are not in this model: {names}", "来源中有 {count} 个不在该模型中：{names}")
FROM_OTHER_LABELS = Sentence(
    "the source was trained on other classes, though as many: its last layer was taken all the same",
    "来源的类别不同但数量相同：其最后一层仍被取用",
)
FROM_NOTHING = Sentence(
    "nothing of {source} fits this model by name and shape; the source has {given}; the model has {own}",
    "{source} 中没有任何张量在名称和形状上与该模型相符；来源有 {given}；模型有 {own}",
)
FROM_PICKLE = Sentence(
    "{path} is a pickle; make it safetensors first: danlu import {path} {out}", "{path} 是 pickle 文件；请先转换：danlu import {path} {out}"
)
FROM_HUB = Sentence(
    "the weights of hf:{name} cannot be had: {reason}; give a folder with model.safetensors, or fill the hub's cache on a machine with a network",
    "无法取得 hf:{name} 的权重：{reason}；请给出含 model.safetensors 的文件夹，或在联网的机器上填充缓存",
)
FROM_OTHER = Sentence(
    "{folder} began from {before}, not from {now}; choose another --out, or leave out --from to go on",
    "{folder} 是从 {before} 开始的，而不是 {now}；请另选 --out，或去掉 --from 以继续",
)
