"""One training step by hand: forward, loss, backward and update written out, and compared with differences and with the library."""

# %% setup
import math

import torch
from torch import nn

from danlu.core import Recipe, Run
from danlu.data.mnist import MNIST
from danlu.errors import Sentence
from danlu.losses.classification import CrossEntropy
from danlu.nets.mlp import MLP
from danlu.optim.first_order import SGD
from danlu.study.figure import Axes, Curve, Theory, draw
from danlu.study.results import measured

CLASSES, WIDTH = 10, 64
ROWS = 512  # rows of every step
RATE, STEPS = 0.1, 20
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


# %% data
def rows(seed: int, count: int = ROWS):
    """Images as rows of numbers [count, 784], standardised, and their digits [count]; another part of the data for each seed."""
    data = MNIST(subset=True)()
    images, digits = data.train.fetch(torch.arange(seed * count, (seed + 1) * count) % len(data.train), 0)
    return images.flatten(1), digits


def weights(seed: int, last: float | None = None):
    """W1 [784, WIDTH], b1, W2 [WIDTH, CLASSES], b2. `last` is the deviation of W2 (None: 1 / sqrt(WIDTH))."""
    draw_ = torch.Generator().manual_seed(seed)
    w1 = torch.randn(784, WIDTH, generator=draw_) * math.sqrt(2 / 784)
    w2 = torch.randn(WIDTH, CLASSES, generator=draw_) * (WIDTH**-0.5 if last is None else last)
    return [w1, torch.zeros(WIDTH), w2, torch.zeros(CLASSES)]


# %% forward
def forward(w, x):
    """The hidden layer after its ReLU, and the logarithms of the class probabilities."""
    hidden = (x @ w[0] + w[1]).clamp(min=0)
    logits = hidden @ w[2] + w[3]
    return hidden, logits - logits.logsumexp(1, keepdim=True)


def loss_of(w, x, y):
    """Mean surprise at the right digit."""
    return -forward(w, x)[1][torch.arange(len(y)), y].mean()


# %% backward
def gradient(w, x, y):
    """d loss / d w for each of the four, by the chain rule from the loss back to the input."""
    hidden, log_p = forward(w, x)
    error = log_p.exp()
    error[torch.arange(len(y)), y] -= 1
    error = error / len(y)  # d loss / d logits
    back = (error @ w[2].T) * (hidden > 0)  # d loss / d (input of the ReLU)
    return [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]


# %% update
def step(w, x, y, rate):
    """The whole of training."""
    return [p - rate * g for p, g in zip(w, gradient(w, x, y))]


# %% differences
def slopes(seed: int):
    """The slope of the loss in a random direction: as the gradient says it, and found by walking a little both ways."""
    x, y = rows(seed, 64)
    x, w = x.double(), [p.double() for p in weights(seed)]
    direction = [torch.randn(p.shape, dtype=p.dtype, generator=torch.Generator().manual_seed(place)) for place, p in enumerate(w)]
    length = math.sqrt(sum(float((d * d).sum()) for d in direction))
    direction = [d / length for d in direction]
    said = sum(float((g * d).sum()) for g, d in zip(gradient(w, x, y), direction))
    width = 1e-5
    ahead, behind = ([p + sign * width * d for p, d in zip(w, direction)] for sign in (1, -1))
    return said, float(loss_of(ahead, x, y) - loss_of(behind, x, y)) / (2 * width)


# %% by_hand
def by_hand(seed: int):
    """The loss before each step and after the last, and the weights at the end."""
    (x, y), w = rows(seed), weights(seed)
    losses = []
    for _ in range(STEPS):
        losses.append(float(loss_of(w, x, y)))
        w = step(w, x, y, RATE)
    return [*losses, float(loss_of(w, x, y))], w


# %% by_library
def started(seed: int) -> nn.Module:
    """danlu's MLP with our weights in it; torch keeps a matrix the other way round."""
    model = MLP(hidden=(WIDTH,), in_features=784, out_features=CLASSES)()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights(seed)):
            parameter.copy_(value.t())
    return model


def by_library(seed: int):
    """The same as `by_hand`, as a recipe: every step sees all rows, so their order does not matter."""
    x, y = rows(seed)
    sgd = SGD(lr=RATE, momentum=0.0)
    run = Run(Recipe(model=started(seed), data=(x, y), loss=CrossEntropy(), optimizer=sgd, batch_size=ROWS, steps=STEPS))
    losses = [float(report.loss) for report in run]
    w = [p.detach().t() for p in run.model.parameters()]
    return [*losses, float(loss_of(w, x, y))], w


# %% promise
def promised_and_kept(seed: int, rate: float):
    """How much one step should lower the loss if the surface were a plane, and how much it does."""
    (x, y), w = rows(seed), weights(seed)
    squared = sum(float((g * g).sum()) for g in gradient(w, x, y))
    return rate * squared, float(loss_of(w, x, y) - loss_of(step(w, x, y, rate), x, y))


# %% measure
def arm(rate: float) -> str:
    """How results call a rate: rate_0_1."""
    return f"rate_{rate:g}".replace(".", "_")


def measure(seeds):
    """Everything that the page shows."""
    slope = {seed: slopes(seed) for seed in seeds}
    hand, library = ({seed: trained(seed) for seed in seeds} for trained in (by_hand, by_library))
    gap = {s: max(float((a - b).abs().max()) for a, b in zip(hand[s][1], library[s][1])) for s in seeds}
    moved = {s: max(float((a - b).abs().max()) for a, b in zip(step(weights(s), *rows(s), RATE), weights(s))) for s in seeds}
    steps = {rate: {seed: promised_and_kept(seed, rate) for seed in seeds} for rate in RATES}
    values = {
        "hand.slope": measured({s: a for s, (a, _) in slope.items()}),
        "walked.slope": measured({s: b for s, (_, b) in slope.items()}),
        "slope.relative_gap": measured({s: abs(a - b) / abs(b) for s, (a, b) in slope.items()}),
        "small.first_loss": measured({s: float(loss_of(weights(s, last=0.001), *rows(s))) for s in seeds}),
        "usual.first_loss": measured({s: losses[0] for s, (losses, _) in hand.items()}),
        "guess.first_loss": measured(dict.fromkeys(seeds, math.log(CLASSES))),
        "hand.last_loss": measured({s: losses[-1] for s, (losses, _) in hand.items()}),
        "library.last_loss": measured({s: losses[-1] for s, (losses, _) in library.items()}),
        "library.weight_gap": measured(gap),
        "step.largest_move": measured(moved),
        "exact.share_of_prediction": measured(dict.fromkeys(seeds, 1.0)),
    }
    for rate, found in steps.items():
        values[f"{arm(rate)}.share_of_prediction"] = measured({s: kept / promised for s, (promised, kept) in found.items()})
    tables = {
        "losses": [losses for losses, _ in hand.values()],
        "kept": [[steps[rate][seed][1] for rate in RATES] for seed in seeds],
        "promised": [[steps[rate][seed][0] for rate in RATES] for seed in seeds],
    }
    return values, tables


# %% pictures
def pictures(results, folder) -> None:
    """The figures, in both languages."""
    draw(
        folder / "losses",
        Axes(Sentence("Twenty steps by hand", "手写二十步"), Sentence("steps done", "已走步数"), Sentence("loss", "损失")),
        [
            Curve(Sentence("by hand", "手写"), range(STEPS + 1), results.tables["losses"]),
            Theory(Sentence("ln 10: a blind guess", "ln 10：瞎猜"), [0, STEPS], [math.log(CLASSES)] * 2),
        ],
    )
    shares = [[kept / promised for kept, promised in zip(*both)] for both in zip(results.tables["kept"], results.tables["promised"])]
    draw(
        folder / "promise",
        Axes(
            Sentence("How much of its promise a step keeps", "一步兑现了多少承诺"),
            Sentence("learning rate", "学习率"),
            Sentence("actual / predicted decrease", "实际下降 / 预测下降"),
            log_x=True,
        ),
        [
            Curve(Sentence("measured", "实测"), RATES, shares),
            Theory(Sentence("a plane", "平面"), [RATES[0], RATES[-1]], [1, 1]),
        ],
    )


# %% look
if __name__ == "__main__":
    found, _ = measure(range(3))
    for key, value in found.items():
        print(f"{key:28} {value.mean if value.mean is not None else value.values[0]:.4g}")
