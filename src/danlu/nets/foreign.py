"""Models of other libraries by name: timm's for images, Hugging Face transformers' for text.

Their dropout draws from torch's own generator, so unlike `nets.Dropout` its masks depend on how a batch is split.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal

from torch import nn

from danlu import messages
from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.fields import PositiveInt
from danlu.nets.facts import image, outputs, settled, tokens
from danlu.nets.torchvision_operators import make_importable

AUTO = {"causal": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM", "classify": "AutoModelForSequenceClassification"}


@dataclass(frozen=True)
class Timm:
    """A model of the timm library, by name, for images.

    中文: timm 库中的图像模型，按名称选用

    model: its name in timm.list_models() ｜ timm.list_models() 中的名称
    pretrained: whether it starts from published weights, which timm downloads or takes from its cache
        ｜ 是否从公开的预训练权重开始，由 timm 下载或取自其缓存
    in_channels: channels of the images (null: from the data) ｜ 图像的通道数（null：取自数据）
    num_classes: classes or target columns (null: from the data) ｜ 类别数或目标列数（null：取自数据）

    Scope: 11.3
    """

    model: str = "resnet18"
    pretrained: bool = False
    in_channels: PositiveInt | None = None
    num_classes: PositiveInt | None = None

    def __call__(self, facts: Facts | None = None) -> nn.Module:
        """Raises BadInput when timm cannot be imported, has no such model, or the data has no images or disagrees with a field."""
        channels, height, width = image("timm", facts)
        in_channels = settled("timm", "in_channels", self.in_channels, channels)
        num_classes = outputs("timm", "num_classes", self.num_classes, facts)
        timm = imported("timm", "timm", "timm")
        if not timm.is_model(self.model.split(".")[0]):
            raise BadInput(messages.TIMM_UNKNOWN, name=self.model, near=nearest(self.model, timm.list_models()))
        made = timm.create_model(self.model, pretrained=self.pretrained, in_chans=in_channels, num_classes=num_classes)
        if height is not None and hasattr(made, "set_input_size"):  # transformers have a size; convolutions take any
            made.set_input_size(img_size=(height, width))
        return made


@dataclass(frozen=True)
class Transformers:
    """A model of the transformers library, from a local folder or from a configuration's name, for text.

    中文: transformers 库中的文本模型，来自本地文件夹或配置名称

    kind: what it does, continue text, fill in masked tokens, or answer a row (null: by the data's task)
        ｜ 做什么：续写文本、填充被掩码的词元，或每行给一个答案（null：由数据的任务决定）
    path: folder with config.json and weights ｜ 含 config.json 与权重的文件夹
    pretrained: whether the weights in the folder are loaded; false takes its configuration only ｜ 是否载入文件夹中的权重；false 只用其配置
    config: a model type such as llama, gpt2 or bert, instead of a path; weights are random
        ｜ 模型类型，如 llama、gpt2、bert，用来代替 path；权重随机初始化
    settings: values that differ from the configuration's, by name ｜ 要改动的配置项，按名称给出

    Scope: 5.4, 11.3
    """

    kind: Literal["causal", "masked", "classify"] | None = None
    path: str | None = None
    pretrained: bool = True
    config: str | None = None
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)
    name: ClassVar[str] = "transformers"

    def __call__(self, facts: Facts | None = None) -> nn.Module:
        """Its output has `.logits`. Rows of padding are masked, when the data has a padding token and the inputs bring no mask.

        Raises BadInput when transformers cannot be imported, when folder, type or setting are not found, or the data does not fit.
        """
        vocab, length = tokens("transformers", facts)
        if (self.path is None) == (self.config is None):
            raise BadInput(messages.TRANSFORMERS_SOURCE, path=self.path, config=self.config)
        found = None if facts is None else {"language": "causal", "masked_language": "masked"}.get(facts.task, "classify")
        kind = settled("transformers", "kind", self.kind, found)
        library = imported("transformers", "transformers", "hf")
        config = self._config(library, vocab)
        if vocab is not None:
            settled("transformers", "vocab_size", config.vocab_size, vocab, at_least=True)
        limit = getattr(config, "max_position_embeddings", None)
        if limit and length:
            settled("transformers", "max_position_embeddings", limit, length, at_least=True)
        if facts is not None and facts.padding is not None:
            config.pad_token_id = facts.padding
        if kind == "classify" and facts is not None:
            config.num_labels = facts.outputs
        auto = getattr(library, AUTO[kind])
        if self.path is not None and self.pretrained:
            model = auto.from_pretrained(self.path, config=config, local_files_only=True)
        else:
            model = auto.from_config(config)
        if facts is not None and facts.padding is not None:
            model.register_forward_pre_hook(Masked(facts.padding), with_kwargs=True)
        return model

    def _config(self, library: ModuleType, vocab: int | None) -> Any:
        if self.path is not None:
            folder = Path(self.path)
            if not (folder / "config.json").is_file():
                inside = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) if folder.is_dir() else "-"
                raise BadInput(messages.TRANSFORMERS_FOLDER, path=self.path, found=inside or "-")
            config = library.AutoConfig.from_pretrained(self.path, local_files_only=True)
        else:
            types = importlib.import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING_NAMES
            if self.config not in types:
                raise BadInput(messages.TRANSFORMERS_UNKNOWN, config=self.config, near=nearest(str(self.config), types))
            config = library.AutoConfig.for_model(self.config)
            if vocab is not None and "vocab_size" not in self.settings:
                config.vocab_size = vocab
        for setting in self.settings:
            if not hasattr(config, setting):
                near = nearest(setting, config.to_dict())
                raise BadInput(messages.TRANSFORMERS_SETTING, config=config.model_type, setting=setting, near=near)
        return type(config).from_dict({**config.to_dict(), **self.settings})


@dataclass(frozen=True)
class Masked:
    """A hook before a model's forward: tell it where the padding is, unless the inputs do."""

    padding: int

    def __call__(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        ids = args[0] if args else kwargs.get("input_ids")
        if ids is None or len(args) > 1 or kwargs.get("attention_mask") is not None:
            return None
        return args, {**kwargs, "attention_mask": (ids != self.padding).long()}


def imported(package: str, model: str, extra: str) -> ModuleType:
    """The package, or BadInput that names the extra to install (or why an installed one does not load)."""
    make_importable()
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name == package:
            raise BadInput(messages.EXTRA_NEEDED, model=model, package=package, extra=extra) from error
        raise BadInput(messages.EXTRA_BROKEN, model=model, package=package, extra=extra, error=error) from error
    except (ImportError, RuntimeError, AttributeError) as error:  # a torchvision made for another torch fails with any of these
        raise BadInput(messages.EXTRA_BROKEN, model=model, package=package, extra=extra, error=error) from error


def nearest(name: str, names: Iterable[str]) -> str:
    """The name most like `name`."""
    return difflib.get_close_matches(name, list(names), n=1, cutoff=0.0)[0]
