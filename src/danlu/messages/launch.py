"""Sentences of starting several processes."""

from __future__ import annotations

from danlu.errors import Sentence

ABOUT_LAUNCH = Sentence("train a recipe on several processes", "用多个进程训练一个配方")
MORE_LAUNCH = Sentence(
    "Every machine runs the same command, with its own --node; --meet names a port of the first one. Without a placement in the recipe it "
    "is ddp. The run folder, its checkpoints and exit codes are those of `danlu train`; rank-N.log are the notes of the other processes.",
    "每台机器运行同一命令，各自给出 --node；--meet 写第一台机器的端口。配方没有 placement 时使用 ddp。运行文件夹、检查点与退出码同 "
    "`danlu train`；rank-N.log 是其他进程的记录。",
)
FLAG_PROCESSES = Sentence("processes on this machine (2)", "本机的进程数（默认 2）")
FLAG_NODES = Sentence("machines (1)", "机器数（默认 1）")
FLAG_NODE = Sentence("the number of this machine, from 0", "本机编号，从 0 开始")
FLAG_MEET = Sentence("where the processes meet: a port of machine 0", "各进程会合之处：0 号机器的端口")
FLAG_DRY_RUN = Sentence("print what would be started, and start nothing", "只打印将要启动的命令，不启动")
FLAG_FOR = Sentence("with --dry-run: print what this cluster is to be given", "与 --dry-run 同用：打印要交给该集群的内容")
LAUNCH_FOR = Sentence("--for {found} is not known; choose from {known}", "不认识 --for {found}；可选：{known}")
LAUNCH_FOR_PRINTS = Sentence(
    "--for {cluster} prints what to give to the cluster and starts nothing; add --dry-run",
    "--for {cluster} 只打印要交给集群的内容，不启动；请加上 --dry-run",
)
FLAG_TORCHRUN = Sentence("torchrun's name for the same", "torchrun 的同义参数")
LAUNCH_PLACEMENT = Sentence(
    "placement={placement} is for one process; choose one for several, such as placement=ddp, or use `danlu train`",
    "placement={placement} 只用一个进程；请选择多进程的 placement（如 placement=ddp），或使用 `danlu train`",
)
LAUNCH_NUMBER = Sentence(
    "{flag} must be a whole number of at least {least}, not `{found}`", "{flag} 须为不小于 {least} 的整数，而不是 `{found}`"
)
LAUNCH_NODE = Sentence(
    "--node {node} of {nodes} machines: they are numbered from 0 to {last}", "--node {node}：共 {nodes} 台机器，编号为 0 到 {last}"
)
LAUNCH_MEET = Sentence(
    "{nodes} machines need a place to meet: give every one --meet HOST:PORT, an address of machine 0 and a port that is free there",
    "{nodes} 台机器需要会合地址：每台都给出 --meet HOST:PORT，即 0 号机器的地址和其上的空闲端口",
)
LAUNCH_MEET_WHAT = Sentence("--meet is HOST:PORT, such as 10.0.0.1:29500, not `{found}`", "--meet 形如 10.0.0.1:29500，而不是 `{found}`")
LAUNCH_KILLED = Sentence(
    "process {rank} did not end within {seconds:g} s after another one had failed, and was killed",
    "另一进程失败后，进程 {rank} 在 {seconds:g} 秒内没有结束，已被强行终止",
)
LAUNCH_FAILED = Sentence(
    "process {rank} failed (exit code {code}); the end of what it printed:", "进程 {rank} 失败（退出码 {code}）；其输出的末尾："
)
