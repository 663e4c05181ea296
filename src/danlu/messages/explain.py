"""Sentences of explain."""

from __future__ import annotations

from danlu.errors import Sentence

EXPLAIN_COMMA = Sentence("; ", "；")
EXPLAIN_PARAMETERS = Sentence("{parameters} parameters, {trainable} of them trained", "参数 {parameters} 个，其中训练 {trainable} 个")
EXPLAIN_ALL_TRAINABLE = Sentence("{parameters} parameters, all trained", "参数 {parameters} 个，全部参与训练")
EXPLAIN_FLOPS = Sentence("{flops}FLOP for forward and backward over a batch", "一个批次前向与反向共 {flops}FLOP")
EXPLAIN_ROWS = Sentence("{rows} rows", "行数 {rows}")
EXPLAIN_TASK = Sentence("{task}: a row of {shape} -> {outputs}", "任务 {task}：每行 {shape} -> {outputs}")
EXPLAIN_BATCH = Sentence("batches of {size}, {steps} steps an epoch", "批大小 {size}，每轮 {steps} 步")
EXPLAIN_MICRO = Sentence(", each as {count} micro-batches of up to {size}", "，每批拆成 {count} 个至多 {size} 行的微批")
EXPLAIN_TERMS = Sentence("sum / denominator: {terms}", "总和 / 分母：{terms}")
EXPLAIN_OVER_BATCH = Sentence("taken over the whole batch, which is never split", "针对整个批次，从不拆分")
EXPLAIN_BACKWARD_ONE = Sentence("forward and backward over the whole batch", "对整个批次做前向与反向")
EXPLAIN_BACKWARD = Sentence(
    "forward and backward over {count} micro-batches, added up, divided once", "对 {count} 个微批做前向与反向，累加后只除一次"
)
EXPLAIN_SCALED = Sentence("the loss is scaled for fp16", "fp16 下对损失做缩放")
EXPLAIN_GUARD = Sentence("a step that is not finite moves nothing", "梯度非有限的步不更新任何参数")
EXPLAIN_CONSTANT = Sentence("lr {lr}, constant", "学习率恒为 {lr}")
EXPLAIN_GROUP = Sentence(
    "{name}: {parameters} in {tensors} tensors, weight decay {decay}", "{name}：{tensors} 个张量共 {parameters} 个参数，权重衰减 {decay}"
)
EXPLAIN_GROUP_RATE = Sentence("{group}, lr {lr}", "{group}，学习率 {lr}")
EXPLAIN_LENGTH = Sentence("{steps} steps = {epochs} epochs", "{steps} 步 = {epochs} 轮")
EXPLAIN_METRICS = Sentence("measured: loss, {metrics}", "评估：loss, {metrics}")
EXPLAIN_PLACE = Sentence(
    "{placement}: {processes} process on {device} in {precision} runs all of it",
    "{placement}：全部在 {device} 上以 {precision} 运行，{processes} 个进程",
)
EXPLAIN_MEMORY = Sentence("about {total} a step: {parts}", "每步约 {total}：{parts}")
MEMORY_WORDS = {
    "weights": Sentence("weights {bytes}", "权重 {bytes}"),
    "gradients": Sentence("gradients {bytes}", "梯度 {bytes}"),
    "optimizer": Sentence("optimiser {bytes}", "优化器 {bytes}"),
    "techniques": Sentence("techniques {bytes}", "技巧 {bytes}"),
    "batch": Sentence("micro-batch {bytes}", "微批 {bytes}"),
    "activations": Sentence("activations {bytes}", "激活 {bytes}"),
}
EXPLAIN_HOW = Sentence(
    "a > b: a is around b. Memory is counted on one micro-batch that was taken through a step of a run that was then thrown away: what "
    "backward keeps (activations), and the tensors of the rest; what the libraries allocate themselves is not in it.",
    "a > b 表示 a 包在 b 外面。内存是用一个微批实际走一步后统计的（该运行随即丢弃）：激活为反向所保存的张量，其余按张量大小计；不含底层库自身的分配。",
)
ROWS_A_SECOND = Sentence("{rate} rows/s", "{rate} 行/秒")
RESULT_TEST = Sentence("test", "测试")
RESULT_BEST = Sentence("best", "最佳")
RESULT_BEST_STEP = Sentence("step {step}  {figures}", "第 {step} 步  {figures}")
RESULT_RUN = Sentence("run", "运行")
RESULT_REPORT = Sentence("report", "报告")
RESULT_PICTURE = Sentence("picture", "曲线图")
RESULT_NEXT = Sentence("next", "接下来")
FLAG_LAYERS = Sentence(
    "instead: each layer with the scale of its weights, its learning rate, and the scale of its activations",
    "改为列出每一层的权重尺度、学习率与激活尺度",
)
LAYER_NAME = Sentence("layer", "层")
LAYER_KIND = Sentence("kind", "类型")
LAYER_WEIGHT = Sentence("weight", "权重形状")
LAYER_DEVIATION = Sentence("its std", "权重标准差")
LAYER_RATE = Sentence("its lr", "学习率")
LAYER_MEAN = Sentence("output mean", "输出均值")
LAYER_STD = Sentence("output std", "输出标准差")
LAYERS_HOW = Sentence(
    "Outputs on the first batch, before any training, in eval mode. An output std that shrinks or grows from layer to layer is what "
    "`--with init` or `--with lsuv` changes.",
    "输出取自第一个批次，训练之前、评估模式。若输出标准差逐层缩小或增大，可用 `--with init` 或 `--with lsuv` 改变。",
)
