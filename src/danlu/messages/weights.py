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
