"""A GPT in sixty seconds: what must be true at every stage, and what a minute buys beside counting."""

# %% setup
import math
from xml.sax.saxutils import escape

import torch
from torch.nn.functional import cross_entropy, silu

from danlu.core import Recipe, Run
from danlu.data.corpora import TinyShakespeare
from danlu.data.text import decoded
from danlu.data.tokenizers import from_form
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.generate import generate
from danlu.nets.gpt import GPT
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import Cosine
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured

LENGTH, WIDTH, DEPTH, HEADS = 32, 64, 2, 4
STEPS, BATCH, RATE = 300, 16, 0.01
LOOKS = (0, 10, 30, 100, 300)  # steps after which it is looked at
ASKED = 600  # windows of the validation text that it is asked about
CONTEXTS = (1, 2, 3, 4, 6, 8, 16, 32)  # characters that it is shown
KNOWN, KNOWN_STEPS = 8, 100  # windows to be learned by heart, in so many steps


# %% forward
def turned(x):
    """Queries or keys [rows, heads, characters, k], each pair of numbers turned by the place of its character (Su et al. 2021)."""
    places, half = torch.arange(x.shape[-2]), x.shape[-1] // 2
    angle = torch.outer(places, 10000.0 ** (-torch.arange(half) / half))
    first, second = x.chunk(2, -1)
    return torch.cat([first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()], -1)


def normed(x, weight):
    return x * (x.pow(2).mean(-1, keepdim=True) + 1e-5).rsqrt() * weight


def forward(w, tokens):
    """The logits of the next character at every place, from the weights by name: a whole GPT."""
    x = w["embed_tokens.weight"][tokens]
    later = torch.ones(tokens.shape[1], tokens.shape[1], dtype=torch.bool).triu(1)
    for block in range(DEPTH):
        own = {name.split(".", 2)[2].removesuffix(".weight"): value for name, value in w.items() if name.startswith(f"layers.{block}.")}
        h = normed(x, own["input_layernorm"])
        q, k, v = ((h @ own[f"self_attn.{name}_proj"].T).unflatten(-1, (HEADS, -1)).transpose(1, 2) for name in "qkv")
        scores = turned(q) @ turned(k).transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = scores.masked_fill(later, -math.inf).softmax(-1)
        x = x + (weights @ v).transpose(1, 2).flatten(2) @ own["self_attn.o_proj"].T
        h = normed(x, own["post_attention_layernorm"])
        x = x + (silu(h @ own["mlp.gate_proj"].T) * (h @ own["mlp.up_proj"].T)) @ own["mlp.down_proj"].T
    return normed(x, w["norm.weight"]) @ w["lm_head.weight"].T


# %% count
def tables(tokens, kinds: int):
    """Log-probabilities out of counts: of a character [V]; after one [V, V]; after two [V, V, V]. Where few, shorter ones help."""
    one = (torch.bincount(tokens, minlength=kinds) + 1.0) / (len(tokens) + kinds)
    two = torch.bincount(tokens[:-1] * kinds + tokens[1:], minlength=kinds**2).view(kinds, kinds) + one
    two = two / two.sum(-1, keepdim=True)
    three = torch.bincount((tokens[:-2] * kinds + tokens[1:-1]) * kinds + tokens[2:], minlength=kinds**3).view(kinds, kinds, kinds)
    three = three + 5 * two
    return one.log(), two.log(), (three / three.sum(-1, keepdim=True)).log()


def counted_losses(data, x, y) -> dict[str, float]:
    """The mean surprise of each table at the characters of the windows; where there is no second one before, pairs stand in for triples."""
    one, two, three = tables(data.train.tokens.long(), data.facts.vocab)
    after_two = torch.cat([two[x[:, :1], y[:, :1]], three[x[:, :-1], x[:, 1:], y[:, 1:]]], 1)
    return {"characters": -float(one[y].mean()), "pairs": -float(two[x, y].mean()), "triples": -float(after_two.mean())}


# %% train
def recipe(seed: int, data) -> Recipe:
    model = GPT(width=WIDTH, depth=DEPTH, heads=HEADS)
    how = {"loss": CrossEntropy(), "optimizer": AdamW(lr=RATE, beta2=0.99), "schedule": Cosine(warmup=0.1)}
    return Recipe(model=model, data=data, **how, steps=STEPS, batch_size=BATCH, validate=False, seed=seed)


@torch.no_grad()
def loss_of(model, x, y) -> float:
    return float(cross_entropy(model(x).flatten(0, 1), y.flatten()))


def said(model, data) -> str:
    """How it goes on from the end of a line."""
    start = from_form(data.preprocess["tokenizer"]).encode("\n")[None]
    return decoded(data.preprocess, generate(model, start, 150, generator=torch.Generator().manual_seed(1))[0, 1:])


# %% checks
@torch.no_grad()
def peeking(model, x) -> float:
    """By how much at most the answers for the first half of a window move when its second half is replaced: nothing, or it peeks."""
    half, other = x.shape[1] // 2, x.clone()
    other[:, half:] = other[:, half:].flip(0)
    return float((model(x)[:, :half] - model(other)[:, :half]).abs().max())


@torch.no_grad()
def by_context(model, x, y) -> dict[int, float]:
    """The loss at the character after each window, when only its last ones are shown."""
    return {shown: float(cross_entropy(model(x[:, -shown:])[:, -1], y[:, -1])) for shown in CONTEXTS}


def by_heart(seed: int, data, x, y) -> float:
    """The loss of a fresh network on a few windows, trained on nothing else."""
    few = {"data": (x, y), "model": GPT(WIDTH, DEPTH, HEADS, vocab_size=data.facts.vocab), "steps": KNOWN_STEPS, "batch_size": KNOWN}
    with Run(Recipe(**{**vars(recipe(seed, None)), **few})) as run:
        for _ in run:
            pass
        return loss_of(run.model, x, y)


# %% measure
def one_seed(seed: int, data, x, y) -> tuple[dict[str, float], dict[str, str], float]:
    values, samples = {}, {}

    def look(step: int) -> None:
        values[f"step_{step}.val_loss"] = loss_of(run.model, x, y)
        if seed == 0:
            samples[str(step)] = said(run.model, data)

    with Run(recipe(seed, data)) as run:
        look(0)
        for report in run:
            if report.step in LOOKS:
                look(report.step)
        values["peek.gap"] = peeking(run.model, x[:64])
        values |= {
            f"last_{shown}.loss": loss for shown, loss in by_context(run.model, *data.val.fetch(torch.arange(len(data.val)), 0)).items()
        }
        with torch.no_grad():
            gap = float((run.model(x[:16]) - forward(dict(run.model.named_parameters()), x[:16])).abs().max())
    values["one_batch.train_loss"] = by_heart(seed, data, *data.train.fetch(torch.arange(KNOWN) + KNOWN * seed, 0))
    return values, samples, gap


def measure(seeds):
    """Everything that the page shows."""
    data = TinyShakespeare(length=LENGTH)()
    x, y = data.val.fetch(torch.arange(ASKED), 0)
    found, kept, gaps = {}, {}, []
    for seed in seeds:
        values, samples, gap = one_seed(seed, data, x, y)
        kept |= samples
        gaps.append(gap)
        for key, value in values.items():
            found.setdefault(key, {})[seed] = value
    always = {f"{name}.val_loss": loss for name, loss in counted_losses(data, x, y).items()}
    always["guess.val_loss"] = math.log(data.facts.vocab)
    always["fifth_of_guess.train_loss"] = math.log(data.facts.vocab) / 5
    found |= {key: dict.fromkeys(seeds, value) for key, value in always.items()}
    values = {key: measured(by_seed) for key, by_seed in found.items()}
    values["by_hand.logit_gap"] = measured(max(gaps))
    values["seen.share"] = measured(STEPS * BATCH * LENGTH / len(data.train.tokens))
    return values, {"samples": kept}


# %% pictures
LOSS = Sentence("loss on new text", "新文本上的损失")


def pictures(results, folder) -> None:
    """The figures, in both languages."""
    by_seed = lambda keys: list(zip(*(results.value(key).values for key in keys)))
    level = lambda name: results.value(f"{name}.val_loss").mean
    names = {
        "guess": Sentence("a guess", "瞎猜"),
        "characters": Sentence("counted characters", "单字符统计"),
        "pairs": Sentence("counted pairs", "字符对统计"),
        "triples": Sentence("counted triples", "三字符统计"),
    }
    places = [max(step, 1) for step in LOOKS]
    draw(
        folder / "steps",
        Axes(Sentence("A minute, beside counting", "一分钟，与统计相比"), Sentence("step", "步数"), LOSS, log_x=True),
        [
            Curve(Sentence("GPT", "GPT"), places, by_seed([f"step_{step}.val_loss" for step in LOOKS])),
            *(Theory(name, [places[0], places[-1]], [level(key)] * 2) for key, name in names.items()),
        ],
    )
    draw(
        folder / "context",
        Axes(Sentence("How far back it looks", "它往回看多远"), Sentence("characters shown", "给它看的字符数"), LOSS, log_x=True),
        [
            Curve(Sentence("GPT", "GPT"), CONTEXTS, by_seed([f"last_{shown}.loss" for shown in CONTEXTS])),
            *(Theory(names[key], [CONTEXTS[0], CONTEXTS[-1]], [level(key)] * 2) for key in ("pairs", "triples")),
        ],
    )
    for language, word in (("en", "step"), ("zh", "步数")):
        (folder / f"samples.{language}.svg").write_text(strip(results.tables["samples"], word), "utf-8", newline="\n")


def strip(samples: dict[str, str], word: str) -> str:
    """What it says after so many steps, as a picture of text."""
    rows, size = [], 76
    for step in sorted(samples, key=int):
        text = samples[step].replace("\n", "⏎")
        rows += [(f"{word} {step}" if start == 0 else "", text[start : start + size]) for start in range(0, len(text), size)]
    style = 'font-family="\'DejaVu Sans Mono\', \'Noto Sans Mono CJK SC\', monospace" font-size="12" xml:space="preserve"'
    lines = [
        f'<text x="{x}" y="{22 + 20 * place}" fill="{fill}">{escape(text)}</text>'
        for place, row in enumerate(rows)
        for x, fill, text in ((10, "#0072b2", row[0]), (90, "#222222", row[1]))
    ]
    height = 20 * len(rows) + 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {height}" width="680" height="{height}"><g {style}>'
    return "\n".join([head, f'<rect width="680" height="{height}" fill="white"/>', *lines, "</g></svg>"]) + "\n"


# %% look
if __name__ == "__main__":
    for key, value in measure(range(2))[0].items():
        print(f"{key:28} {value.mean:.4g}")
