"""Text that a trained language model goes on with, token by token.

Shapes: T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from danlu import messages
from danlu.data.tokenizers import Characters, from_form
from danlu.errors import BadInput, Refused
from danlu.losses.criterion import forward, logits
from danlu.use.load import Trained


def sample(
    trained: Trained,
    prompt: str,
    tokens: int = 200,
    *,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Iterator[str]:
    """The pieces of text that follow `prompt`, as they are made; the same seed gives the same text.

    temperature: divides the scores; 0 takes the most probable token. top_k: draw among so many of the most probable tokens (Fan et al.
    2018). top_p: draw among the fewest that hold this probability together (Holtzman et al. 2020). What is longer than the model's window
    is remembered by its last tokens only. Raises Refused for a model that is no language model, BadInput for an empty or unreadable prompt.
    """
    if trained.facts.task != "language":
        raise Refused(messages.SAMPLE_TASK, task=trained.facts.task)
    for name, value, good in (("temperature", temperature, temperature >= 0), ("top_k", top_k, top_k is None or top_k >= 1),
                              ("top_p", top_p, top_p is None or 0 < top_p <= 1), ("tokens", tokens, tokens >= 1)):  # fmt: skip
        if not good:
            raise BadInput(messages.SAMPLE_RANGE, name=name, value=value)
    tokenizer = from_form(trained.form["tokenizer"])
    ids = tokenizer.encode(prompt).tolist()
    if not ids:
        raise BadInput(messages.SAMPLE_EMPTY)
    return _pieces(trained, tokenizer, ids, tokens, temperature, top_k, top_p, seed)


def _pieces(
    trained: Trained, tokenizer: object, ids: list[int], tokens: int, temperature: float, top_k: int | None, top_p: float | None, seed: int
) -> Iterator[str]:
    window, start, end = trained.facts.shape[0], len(ids), getattr(tokenizer, "end", None)
    generator = torch.Generator().manual_seed(seed)
    nameless = [0] if isinstance(tokenizer, Characters) else []  # stands for every character that train did not have
    said = ""
    for _ in range(tokens):
        batch = torch.tensor([ids[-window:]])
        with torch.no_grad(), trained.placement.looking(trained.model), trained.placement.precision.autocast():
            scores = logits(forward(trained.model, trained.placement.put(batch)))[0, -1].double().cpu()
        scores[nameless] = -torch.inf
        choice = draw(scores, temperature, top_k, top_p, generator)
        if choice == end:
            break
        ids.append(choice)
        text = tokenizer.decode(ids[start:])  # type: ignore[attr-defined]
        if text.endswith("\ufffd"):  # half of a character: its other bytes come with the next tokens
            continue
        yield text[len(said) :]
        said = text


def draw(scores: Tensor, temperature: float, top_k: int | None, top_p: float | None, generator: torch.Generator) -> int:
    """One token id by its scores [V], float64."""
    if temperature == 0:
        return int(scores.argmax())
    scores = scores / temperature
    if top_k is not None and top_k < len(scores):
        scores = scores.masked_fill(scores < scores.topk(top_k).values[-1], -torch.inf)
    probabilities = scores.softmax(0)
    if top_p is not None and top_p < 1:
        ordered, place = probabilities.sort(descending=True)
        ordered[ordered.cumsum(0) - ordered >= top_p] = 0  # the one that crosses the line stays
        probabilities = torch.zeros_like(probabilities).scatter(0, place, ordered)
    return int(torch.multinomial(probabilities, 1, generator=generator))
