"""Sentences of doctor."""

from __future__ import annotations

from danlu.errors import Sentence

DOCTOR_MACHINE = Sentence("machine", "机器")
DOCTOR_SYSTEM = Sentence("system", "系统")
DOCTOR_CORES = Sentence("cores", "核心数")
DOCTOR_MEMORY = Sentence("memory", "内存")
DOCTOR_TORCH = Sentence("torch and devices", "torch 与设备")
DOCTOR_THREADS = Sentence("{threads} threads", "{threads} 个线程")
DOCTOR_ACCELERATOR = Sentence("accelerator", "加速器")
DOCTOR_NONE = Sentence("none", "无")
DOCTOR_PACKAGES = Sentence("packages [extra]", "软件包 [可选组件]")
DOCTOR_MISSING = Sentence("missing; when needed: {install}", "未安装；需要时运行：{install}")
DOCTOR_DATA = Sentence("data sets", "数据集")
DOCTOR_NOT_SET = Sentence("not set", "未设置")
DOCTOR_CACHE = Sentence("cache", "缓存")
DOCTOR_BUNDLED = Sentence("there: made from what is installed", "可用：取自已安装的软件")
DOCTOR_FETCHED = Sentence("not here; fetched when first used", "本机没有；首次使用时下载")
DOCTOR_BY_HAND = Sentence(
    "not here; the recipe that wants it says which files to put where", "本机没有；用到它的配方会说明把哪些文件放到哪里"
)
DOCTOR_SURROUNDINGS = Sentence("surroundings", "环境")
DOCTOR_LANGUAGE = Sentence("language", "语言")
DOCTOR_TERMINAL = Sentence("terminal", "终端")
DOCTOR_NO_TERMINAL = Sentence("none: plain lines instead of a bar", "不是终端：用纯文本行代替进度条")
DOCTOR_DISK = Sentence("free here", "当前目录可用空间")
DOCTOR_TEMPORARY = Sentence("free, temporary", "临时目录可用空间")
DOCTOR_FONT = Sentence("Chinese in plots", "图中中文字体")
DOCTOR_NO_FONT = Sentence("none found; pip install 'danlu[fonts]' brings one", "未找到；pip install 'danlu[fonts]' 会带来一种")
