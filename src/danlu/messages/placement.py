"""Sentences of placement."""

from __future__ import annotations

from danlu.errors import Sentence

NO_DEVICE = Sentence(
    "device=`{wish}` is not on this machine; found: {found}. Set device to one of these, or to auto",
    "本机没有设备 device=`{wish}`；现有：{found}。请把 device 设为其中之一，或设为 auto",
)
LESS_THAN_A_BATCH = Sentence(
    "the training data has {rows} rows, less than one batch of {batch_size}; set batch_size to at most {rows}",
    "训练数据只有 {rows} 行，不足一个批次（{batch_size}）；请把 batch_size 设为不超过 {rows}",
)
ONE_ROW = Sentence(
    "{rows} rows in groups of {batch_size} leave one row over, and BatchNorm ({layer}) cannot be trained on a single row; choose another "
    "batch_size, so that no row is left alone",
    "{rows} 行按每组 {batch_size} 行划分会剩下一行，而 BatchNorm（{layer}）无法只用一行训练；请换一个 batch_size，使最后不会只剩一行",
)
NO_DIVISOR = Sentence(
    "placement.shard={shard} does not divide the {world} processes; set it to a divisor of {world}, or leave it out to divide weights over all",
    "placement.shard={shard} 不能整除进程数 {world}；请设为 {world} 的约数，或不设（权重分到所有进程）",
)
FSDP_TOO_OLD = Sentence(
    "fsdp needs torch 2.13, which can sum gradients that some processes do not have; found {found}. Use placement=ddp, or a newer torch",
    "fsdp 需要 torch 2.13（能对部分进程没有的梯度求和）；现为 {found}。请改用 placement=ddp，或升级 torch",
)
FSDP_SPARSE = Sentence(
    "fsdp cannot divide sparse gradients (embedding `{name}`); make it with sparse=False, or use placement=ddp",
    "fsdp 无法切分稀疏梯度（嵌入层 `{name}`）；请用 sparse=False 创建，或改用 placement=ddp",
)
FSDP_TYPES = Sentence(
    "fsdp needs trained weights of one type of number and found several ({found}); convert the model to one, or use placement=ddp",
    "fsdp 要求参与训练的权重类型一致，现有多种（{found}）；请统一模型的数值类型，或改用 placement=ddp",
)
PAST_FORWARD = Sentence(
    "a layer was used past the forward of the block that fsdp gathers it for ({reason}); set placement.blocks=false, which gathers the whole model "
    "for each loss, or use placement=ddp",
    "有一层没有经过 fsdp 为其聚合权重的模块的 forward 就被使用（{reason}）；请设 placement.blocks=false（每次计算损失时聚合整个模型），或改用 placement=ddp",
)
LEFT_BEHIND = Sentence(
    "the loss of a step's last micro-batch does not depend on what the model returns, so fsdp would leave gradients of its blocks behind; set "
    "placement.blocks=false, or use placement=ddp",
    "一步中最后一个微批次的损失与模型的输出无关，fsdp 会漏掉各模块的梯度；请设 placement.blocks=false，或改用 placement=ddp",
)
LOSS_OF_PARTS = Sentence(
    "the term `{term}` of the loss is taken of weights that lie in parts; take it of placement.local(weights) and sum it with "
    "placement.total, as l2 does, or set placement.blocks=false",
    "损失中的 `{term}` 一项直接由分片的权重算出；请对 placement.local(weights) 计算并用 placement.total 求和（如 l2 所做），或设 placement.blocks=false",
)
WEIGHT_DIFFERS = Sentence(
    "the saved tensor `{name}` has shape {saved}, the model has {found}; use the model the weights were saved from",
    "保存的张量 `{name}` 形状为 {saved}，模型中为 {found}；请使用保存这些权重时的模型",
)
HALVED = Sentence(
    "step {step}: memory did not suffice ({reason}); from here on at most {rows} rows are evaluated at once. The batch and its samples stay "
    "as they are, and so does the gradient, but for rounding",
    "第 {step} 步：内存不足（{reason}）；从现在起每次最多计算 {rows} 行。批次与样本不变，梯度除舍入误差外也不变",
)
HALVED_DRAWS = Sentence(
    "step {step}: memory did not suffice ({reason}); from here on at most {rows} rows are evaluated at once. The batch and its samples stay "
    "as they are; but the model draws random numbers of its own (a dropout that is not danlu's), which depend on how rows are split, so the "
    "run goes on with other ones. danlu's own dropout does not depend on it",
    "第 {step} 步：内存不足（{reason}）；从现在起每次最多计算 {rows} 行。批次与样本保持不变，但模型自己抽取随机数（不是 danlu 的 dropout），"
    "其结果取决于拆分方式，因此之后的随机数与不拆分时不同。danlu 自己的 dropout 不受影响",
)
HALVED_LOOK = Sentence(
    "memory did not suffice for an evaluation ({reason}); it begins anew, and from here on looks at {rows} rows at once",
    "评估时内存不足（{reason}）；评估重新开始，从现在起每次计算 {rows} 行",
)
NO_MEMORY = Sentence(
    "memory does not suffice for a single row ({reason}); use a smaller model or shorter rows, precision=bf16, an optimizer with less "
    "state (sgd), or a device with more memory",
    "内存连一行都放不下（{reason}）；请改用更小的模型或更短的行、precision=bf16、状态更少的优化器（sgd），或内存更大的设备",
)
NO_MEMORY_LOSS = Sentence(
    "memory does not suffice for {rows} rows at once ({reason}), and the loss {loss} is taken over the whole batch, so they cannot be split; "
    "set a smaller batch_size, which changes the training, or use a device with more memory",
    "内存放不下一次 {rows} 行（{reason}），而损失 {loss} 是对整个批次计算的，不能拆分；请减小 batch_size（训练会因此改变），或使用内存更大的设备",
)
NO_MEMORY_NORM = Sentence(
    "memory does not suffice for {rows} rows at once ({reason}), and the model has BatchNorm ({layer}), whose statistics would depend on the "
    "split; state a group size with the technique ghost_norm and set micro_batch_size to a multiple of it, or set a smaller batch_size",
    "内存放不下一次 {rows} 行（{reason}），而模型含 BatchNorm（{layer}），统计量会随拆分而变；请用技巧 ghost_norm 写明分组大小，并把 "
    "micro_batch_size 设为其倍数，或减小 batch_size",
)
NO_MEMORY_GROUP = Sentence(
    "memory does not suffice for one group of ghost_norm, {rows} rows ({reason}); set a smaller ghost_norm.size, which changes the training, "
    "or use a smaller model or a device with more memory",
    "内存放不下 ghost_norm 的一个分组（{rows} 行）（{reason}）；请减小 ghost_norm.size（训练会因此改变），或使用更小的模型或内存更大的设备",
)
NO_MEMORY_ELSEWHERE = Sentence(
    "memory does not suffice after step {step} ({reason}), outside the evaluation of a micro-batch, so smaller ones would not help; use a "
    "smaller model, an optimizer with less state (sgd), fewer techniques that keep copies of the weights, or a device with more memory",
    "第 {step} 步之后内存不足（{reason}），且不在微批计算之中，减小微批也无济于事；请改用更小的模型、状态更少的优化器（sgd）、"
    "更少的保存权重副本的技巧，或内存更大的设备",
)
NO_SEAT = Sentence(
    "the environment says {rank}={found} and {world}={of}, which is no process among several; start with `danlu launch` or torchrun",
    "环境变量 {rank}={found}、{world}={of} 不成立；请用 `danlu launch` 或 torchrun 启动",
)
NO_MEETING = Sentence(
    "the environment says that there are {world} processes, but not where they meet; set MASTER_ADDR (a machine all of them reach) and "
    "MASTER_PORT (a free port there), or start with `danlu launch` or torchrun",
    "环境变量说明有 {world} 个进程，却没有会合地址；请设置 MASTER_ADDR（各进程都能访问的机器）和 MASTER_PORT（其上的空闲端口），"
    "或用 `danlu launch`、torchrun 启动",
)
MODELS_DIFFER = Sentence(
    "process {ranks} built another model than process 0; start all processes with the same recipe, seed, code and data",
    "进程 {ranks} 构建的模型与进程 0 不同；所有进程须使用相同的配方、随机种子、代码和数据",
)
NO_MEMORY_RANK = Sentence(
    "process {rank}: memory does not suffice for {rows} rows at once ({reason}); set a smaller micro_batch_size, or start more processes. "
    "Several processes cannot halve it alone",
    "进程 {rank}：内存放不下一次 {rows} 行（{reason}）；请减小 micro_batch_size，或增加进程数。多进程时单个进程无法自行减半",
)
PROCESS_LOST = Sentence(
    "process {rank}: another process of this training is gone or does not answer ({reason}). What was saved is whole; start all of them "
    "again to go on",
    "进程 {rank}：训练的另一个进程已退出或无响应（{reason}）。已保存的内容完好；请重新启动全部进程以继续",
)
MANY_WITHOUT_PLACEMENT = Sentence(
    "{world} processes were started, and the recipe's placement is for one; set placement=ddp, or start a single process",
    "启动了 {world} 个进程，而配方的 placement 只用一个进程；请设置 placement=ddp，或只启动一个进程",
)
NO_GRADIENTS = Sentence(
    "the run is iterated where torch takes no gradients (torch.no_grad or torch.inference_mode); leave that block before training",
    "训练正在 torch 不计算梯度的环境中进行（torch.no_grad 或 torch.inference_mode）；请离开该代码块后再训练",
)
