"""danlu: every training technique in one loop. `for report in Run(recipe)` is training; `danlu --help` is the command line.

Names are imported when they are first used, so that `import danlu` takes milliseconds and does not import torch.
"""

_HOMES = {
    "BadInput": "errors",
    "Batch": "core",
    "Data": "data.source",
    "Facts": "data.source",
    "Loss": "core",
    "Outcome": "core",
    "Recipe": "core",
    "Refused": "errors",
    "Report": "core",
    "Run": "core",
    "Stages": "stages",
    "Technique": "core",
    "Tensors": "data.source",
    "batch_loss": "losses.adapt",
    "fit": "notebook.fit",
    "load": "use.load",
    "load_recipe": "describe.recipe_file",
    "mean_loss": "losses.adapt",
    "read": "use.read",
    "train": "run.train",
}
_FOLDERS = ("data", "losses", "metrics", "nets", "optim", "placement", "techniques")  # `danlu.optim.AdamW`, `danlu.techniques.SAM`

__all__ = [
    "BadInput",
    "Batch",
    "Data",
    "Facts",
    "Loss",
    "Outcome",
    "Recipe",
    "Refused",
    "Report",
    "Run",
    "Stages",
    "Technique",
    "Tensors",
    "__version__",
    "batch_loss",
    "data",
    "fit",
    "load",
    "load_recipe",
    "losses",
    "mean_loss",
    "metrics",
    "nets",
    "optim",
    "placement",
    "read",
    "techniques",
    "train",
]  # fmt: skip


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _FOLDERS:
        return import_module(f"danlu.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"danlu.{_HOMES[name]}"), name)
    elif name == "__version__":
        from importlib.metadata import version

        value = version("danlu")
    else:
        raise AttributeError(f"module 'danlu' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
