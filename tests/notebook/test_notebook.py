"""A notebook, run headless by a real kernel: five lines from a live module to predictions, and what is left to see."""

import json
import os
import sys

import pytest

CELLS = [
    "import torch, danlu\nfrom torch import nn\nimport torch.nn.functional as F\nfrom torch.utils.data import DataLoader, TensorDataset\n"
    "torch.set_num_threads(1); torch.manual_seed(0)\nx = torch.randn(256, 8); y = (x.sum(1) > 0).long()\n"
    "train_loader = DataLoader(TensorDataset(x, y), 32, shuffle=True); val_loader = DataLoader(TensorDataset(x[:64], y[:64]), 32)\n"
    "model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))",
    "run = danlu.fit(model, train_loader, val_loader, loss=F.cross_entropy, optimizer='adamw', lr=1e-2, epochs=5, techniques=['ema'])",
    "run.plot()",
    "run.metrics.tail(3)",
    "print(run.predict(x[:3].numpy()).labels)",
    "run",
    "import os, signal, threading\n"
    "threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()  # what the stop button sends\n"
    "slow = danlu.fit(model, train_loader, loss=F.cross_entropy, epochs=100000)\nprint(0 < slow.step < slow.total)",
]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_notebook(tmp_path, language, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("DANLU_LANG", language)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    kernel = tmp_path / "kernels" / "here"  # this very Python, whatever kernels the machine has
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "here", "language": "python"}))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(book, timeout=240, kernel_name="here").execute()
    outputs = [cell.outputs for cell in book.cells]
    bars = [out for out in outputs[1] if out.output_type == "display_data"]
    assert len(bars) == 1 and "<progress" in bars[0].data["text/html"] and "40/40" in bars[0].data["text/plain"]
    said = "".join(out.get("text", "") for out in outputs[1])
    assert ("its own order" if language == "en" else "自身顺序") in said
    assert not any(out.get("name") == "stderr" for cell in outputs for out in cell), [out for cell in outputs for out in cell]
    assert outputs[2][0].data["image/png"] and "val_accuracy" in outputs[3][0].data["text/html"]
    assert outputs[4][0].text.startswith("[") and "data:image/png" in outputs[5][0].data["text/html"]
    told = "".join(out.get("text", "") for out in outputs[6])
    assert ("interrupted after step" if language == "en" else "步）后中断") in told and told.endswith("True\n")
    if folder := os.environ.get("DANLU_KEEP_NOTEBOOK"):
        nbformat.write(book, os.path.join(folder, f"notebook-{language}.ipynb"))
