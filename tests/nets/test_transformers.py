"""ViT, GPT and BERT: against torch's own encoder layers, Llama and BERT of another library, and their defining properties."""

import pytest
import torch
from torch import nn

from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.keys import Keyed
from danlu.nets import bert, vit
from danlu.nets.attention import attend
from danlu.nets.bert import BERT
from danlu.nets.dropout import Dropout
from danlu.nets.flops import step_flops
from danlu.nets.generate import generate
from danlu.nets.gpt import GPT, rotated, rotation
from danlu.nets.vit import ViT

torch.set_num_threads(1)
LANGUAGE = Facts("language", (12,), 50, vocab=50)


def stirred(model):
    """Every parameter random, also those that start at zero or one."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def encoder_layer(width, heads, norm_first, eps):
    return nn.TransformerEncoderLayer(
        width, heads, 4 * width, 0.0, "gelu", layer_norm_eps=eps, batch_first=True, norm_first=norm_first, dtype=torch.float64
    )


def test_vit_block_is_torchs_pre_norm_layer():
    ours = stirred(vit.Block(16, 4, 0.0, 0.0)).double()
    theirs = encoder_layer(16, 4, True, 1e-6)
    names = {
        "norm1": "norm1",
        "norm2": "norm2",
        "qkv": "self_attn.in_proj_",
        "proj": "self_attn.out_proj",
        "fc1": "linear1",
        "fc2": "linear2",
    }
    state = {f"{names[k.split('.')[0]]}.{k.split('.')[1]}".replace("_.", "_"): v for k, v in ours.state_dict().items()}
    theirs.load_state_dict(state)
    x = torch.randn(3, 7, 16, dtype=torch.float64)
    assert torch.allclose(ours(x), theirs(x), atol=1e-12)


@pytest.mark.parametrize("padded", [False, True])
def test_bert_block_is_torchs_post_norm_layer(padded):
    ours = stirred(bert.Block(16, 4, 64, 0.0, 0.0, 1e-12)).double()
    theirs = encoder_layer(16, 4, False, 1e-12)
    state = ours.state_dict()
    mapped = {
        f"self_attn.in_proj_{kind}": torch.cat([state[f"{part}.{kind}"] for part in ("query", "key", "value")])
        for kind in ("weight", "bias")
    }
    names = {"output": "self_attn.out_proj", "norm1": "norm1", "norm2": "norm2", "fc1": "linear1", "fc2": "linear2"}
    mapped |= {f"{names[k.split('.')[0]]}.{k.split('.')[1]}": v for k, v in state.items() if k.split(".")[0] in names}
    theirs.load_state_dict(mapped)
    x = torch.randn(3, 7, 16, dtype=torch.float64)
    hidden = torch.tensor([[0] * 7, [0] * 4 + [1] * 3, [0] + [1] * 6]).bool()
    mask = ~hidden[:, None, None, :] if padded else None
    theirs.train()  # the fused path of eval mode zeroes the padded places
    assert torch.allclose(ours(x, mask), theirs(x, src_key_padding_mask=hidden if padded else None), atol=1e-12)


def test_vit_reads_patches_in_place():
    """A patch's embedding is its pixels times the weights; the answer follows the patches and, without positions, not their order."""
    model = stirred(ViT(patch=4, width=12, depth=2, heads=3, pool="mean")(Facts("classify", (2, 8, 12), 5))).eval()
    x = torch.randn(2, 2, 8, 12)
    patches = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).reshape(2, 6, -1)
    expected = patches @ model.patches.weight.view(12, -1).T + model.patches.bias
    assert torch.allclose(model.patches(x).flatten(2).transpose(1, 2), expected, atol=1e-5)
    swapped = torch.cat([x[..., 4:8], x[..., :4], x[..., 8:]], dim=-1)
    assert not torch.allclose(model(x), model(swapped), atol=1e-3)
    nn.init.zeros_(model.positions)
    assert torch.allclose(model(x), model(swapped), atol=1e-4)


def test_vit_has_the_published_size():
    """ViT-B/16 at 224 pixels: 86,567,656 parameters with 1000 classes."""
    with torch.device("meta"):
        model = ViT(patch=16, width=768, depth=12, heads=12, image_size=224, in_channels=3, num_classes=1000)()
    assert sum(p.numel() for p in model.parameters()) == 86567656


def test_bert_has_the_published_size():
    """BERT-base: 109,482,240 parameters before any head (30,522 tokens, 512 positions)."""
    with torch.device("meta"):
        model = BERT(width=768, depth=12, heads=12, vocab_size=30522, context=512, num_outputs=2, head="classify")()
    assert sum(p.numel() for name, p in model.named_parameters() if not name.startswith("classifier")) == 109482240


def test_rotation_makes_scores_depend_on_distance_only():
    cos, sin = (part.double() for part in rotation(64, 8, 10000.0))
    q, k = torch.randn(8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)
    turned_q, turned_k = (rotated(v.expand(1, 1, 64, 8), cos, sin)[0, 0] for v in (q, k))
    scores = turned_q @ turned_k.T
    assert torch.allclose(scores[5:, 5:], scores[:-5, :-5], atol=1e-5)
    assert torch.allclose(turned_q.norm(dim=-1), q.norm().expand(64), atol=1e-6)
    assert torch.allclose(scores[7, 3], q @ _turn(k, 3 - 7), atol=1e-5)


def _turn(k, steps):
    """RoPE written with complex numbers, as in the paper: pair i turned by steps * theta^(-2i/K)."""
    angle = steps * 10000.0 ** (-torch.arange(0, 8, 2, dtype=torch.float64) / 8)
    pairs = torch.complex(k[:4], k[4:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([pairs.real, pairs.imag])


@pytest.mark.parametrize("kv_heads, tied, qk_norm", [(None, False, False), (1, True, True), (2, False, True)])
def test_gpt_never_looks_ahead(kv_heads, tied, qk_norm):
    model = GPT(width=32, depth=2, heads=4, kv_heads=kv_heads, tied=tied, qk_norm=qk_norm)(LANGUAGE)
    tokens = torch.randint(50, (2, 12))
    changed = tokens.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 50
    one, other = model(tokens), model(changed)
    assert one.shape == (2, 12, 50)
    assert torch.allclose(one[:, :7], other[:, :7], atol=1e-6) and not torch.allclose(one[:, 7:], other[:, 7:])
    assert torch.allclose(model(tokens[:, :5]), one[:, :5], atol=1e-6)
    one.logsumexp(-1).sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())
    assert (model.lm_head.weight is model.embed_tokens.weight) == tied


def test_gpt_starts_near_the_uniform_guess_and_holds_no_buffers():
    torch.manual_seed(0)
    model = GPT(width=64, depth=4, heads=4)(LANGUAGE)
    logits = model(torch.randint(50, (8, 12)))
    assert abs(logits.logsumexp(-1).mean().item() - torch.tensor(50.0).log().item()) < 0.05
    assert not any("cos" in key or "sin" in key for key in model.state_dict())
    ends = [p.std().item() for name, p in model.named_parameters() if name.endswith(("o_proj.weight", "down_proj.weight"))]
    assert ends == pytest.approx([0.02 / 8**0.5] * 8, rel=0.05)


def test_gpt_flops_are_the_closed_form():
    """Two operations a weight of every matrix and token, plus attention's two products; times three."""
    width, length, batch = 32, 12, 2
    model = GPT(width=width, depth=2, heads=4)(LANGUAGE)
    matrices = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name)
    attention = 2 * 2 * 2 * length * length * width
    assert step_flops(model, torch.zeros(batch, length, dtype=torch.int64)) == 3 * batch * (2 * matrices * length + attention)


def test_generate():
    model = stirred(GPT(width=32, depth=2, heads=4, dropout=0.5)(LANGUAGE)).train()
    prompt = torch.randint(50, (3, 4))
    greedy = generate(model, prompt, 20, temperature=0)
    assert greedy.shape == (3, 24) and torch.equal(greedy[:, :4], prompt) and model.training and model.dropout.training
    model.eval()
    for t in (4, 10, 23):  # each token is the likeliest after those before it, of which at most `context` are seen
        assert torch.equal(greedy[:, t], model(greedy[:, max(0, t - 12) : t])[:, -1].argmax(-1))
    sample = lambda seed, **how: generate(model, prompt, 20, generator=torch.Generator().manual_seed(seed), **how)
    assert torch.equal(sample(0), sample(0)) and not torch.equal(sample(0), sample(1))
    assert torch.equal(sample(0, top_k=1), greedy)


def test_generate_samples_the_softmax():
    class Fixed(nn.Module):
        def forward(self, tokens):
            return torch.tensor([0.0, 1.0, 2.0, 3.0]).expand(*tokens.shape, 4)

    prompt = torch.zeros(20000, 1, dtype=torch.int64)
    drawn = generate(Fixed(), prompt, 1, temperature=2.0, top_k=3, generator=torch.Generator().manual_seed(0))[:, 1]
    expected = torch.tensor([float("-inf"), 0.5, 1.0, 1.5]).softmax(0)
    assert (drawn.bincount(minlength=4) / 20000 - expected).abs().max() < 0.02


@pytest.mark.parametrize("task, outputs, shape", [("classify", 3, (4, 3)), ("masked_language", 50, (4, 12, 50))])
def test_bert_never_looks_at_padding(task, outputs, shape):
    facts = Facts(task, (12,), outputs, vocab=50, padding=0)
    model = BERT(width=32, depth=2, heads=4)(facts).eval()
    tokens = torch.randint(1, 50, (4, 12))
    tokens[:, 8:] = 0
    y = model(tokens)
    assert y.shape == shape
    short = model(tokens[:, :8])
    assert torch.allclose(y if task == "classify" else y[:, :8], short, atol=1e-5)
    y.square().sum().backward()
    assert model.encoder.word_embeddings.weight.grad.isfinite().all()
    assert model(torch.zeros_like(tokens)).isfinite().all()


@pytest.mark.parametrize("model", [BERT(width=16, depth=2, heads=2, attention_dropout=0.2), BERT(width=16, depth=2, heads=2)])
def test_bert_dropout_does_not_depend_on_the_split(model):
    net = model(Facts("classify", (6,), 3, vocab=20, padding=0))
    tokens, ids = torch.randint(20, (8, 6)), torch.arange(100, 108)

    def look(rows):
        Keyed.step, Keyed.ids, Keyed.calls = 1, ids[rows], {}
        return net(tokens[rows])

    try:
        whole = look(slice(0, 8))
        parts = torch.cat([look(slice(0, 3)), look(slice(3, 8))])
        assert torch.allclose(whole, parts, atol=1e-6) and not torch.allclose(whole, net.eval()(tokens), atol=1e-3)
    finally:
        Keyed.ids = None


def test_attention_without_the_kernel_is_the_same():
    q, k, v = torch.randn(3, 2, 4, 5, 8, dtype=torch.float64)
    mask = torch.rand(2, 1, 1, 5) < 0.7
    mask[..., 0] = True
    tiny = Dropout(1e-12)
    assert torch.allclose(attend(q, k, v, tiny, mask), attend(q, k, v, Dropout(0.0), mask), atol=1e-10)


TEXT = Facts("classify", (12,), 3, vocab=50)


@pytest.mark.parametrize(
    "model, facts, words",
    [
        (GPT(), TEXT, "bert"),
        (GPT(), Facts("classify", (3, 8, 8), 2), "vit"),
        (GPT(vocab_size=49), LANGUAGE, "vocab_size"),
        (GPT(context=11), LANGUAGE, "context"),
        (GPT(heads=7), LANGUAGE, "multiple"),
        (GPT(kv_heads=3), LANGUAGE, "kv_heads"),
        (BERT(), LANGUAGE, "gpt"),
        (BERT(head="masked_language"), TEXT, "head"),
        (BERT(num_outputs=4), TEXT, "num_outputs"),
        (BERT(), Facts("classify", (8,), 2), "mlp"),
        (ViT(), TEXT, "bert"),
        (ViT(patch=5), Facts("classify", (1, 28, 28), 10), "multiple"),
        (ViT(image_size=32), Facts("classify", (1, 28, 28), 10), "image_size"),
    ],
)
def test_facts_that_do_not_fit_are_refused_in_a_sentence(model, facts, words):
    with pytest.raises(BadInput, match=words):
        model(facts)


def test_larger_vocabulary_and_context_are_allowed_and_longer_sequences_refused():
    model = GPT(width=32, depth=1, heads=4, vocab_size=64, context=20)(LANGUAGE)
    assert model(torch.zeros(1, 20, dtype=torch.int64)).shape == (1, 20, 64)
    with pytest.raises(BadInput, match="21"):
        model(torch.zeros(1, 21, dtype=torch.int64))


@pytest.mark.slow
@pytest.mark.parametrize("kv_heads, tied", [(None, False), (2, True)])
def test_gpt_is_llama(kv_heads, tied):
    transformers = pytest.importorskip("transformers")
    ours = GPT(width=64, depth=3, heads=4, kv_heads=kv_heads, hidden=96, tied=tied)(LANGUAGE)
    config = transformers.LlamaConfig(
        vocab_size=50, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=kv_heads or 4,
        max_position_embeddings=12, rms_norm_eps=1e-5, tie_word_embeddings=tied,
    )  # fmt: skip
    theirs = transformers.LlamaForCausalLM(config).eval()
    state = {key if key.startswith("lm_head") else f"model.{key}": value for key, value in stirred(ours).state_dict().items()}
    theirs.load_state_dict(state)
    tokens = torch.randint(50, (2, 12))
    assert torch.allclose(ours(tokens), theirs(tokens).logits, atol=2e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classify", "masked_language"])
def test_bert_is_bert(task):
    transformers = pytest.importorskip("transformers")
    facts = Facts(task, (12,), 3 if task == "classify" else 50, vocab=50, padding=0)
    ours = stirred(BERT(width=32, depth=2, heads=4)(facts)).eval()
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, max_position_embeddings=12,
        num_labels=3, pad_token_id=0,
    )  # fmt: skip
    kind = transformers.BertForSequenceClassification if task == "classify" else transformers.BertForMaskedLM
    theirs = kind(config).eval()
    heads = {"norm.": "cls.predictions.transform.LayerNorm.", "transform.": "cls.predictions.transform.dense."}
    heads |= {"decoder.": "cls.predictions.decoder.", "pooler.": "bert.pooler.dense.", "encoder.layers.": "bert.encoder.layer."}
    heads |= {f"encoder.{part}_embeddings.": f"bert.embeddings.{part}_embeddings." for part in ("word", "position")}
    heads |= {"encoder.segment_embeddings.": "bert.embeddings.token_type_embeddings.", "encoder.norm.": "bert.embeddings.LayerNorm."}
    inner = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value"}
    inner |= {"output": "attention.output.dense", "norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}
    inner |= {"fc1": "intermediate.dense", "fc2": "output.dense"}
    state = {}
    for key, value in ours.state_dict().items():
        head = next((head for head in heads if key.startswith(head)), "")
        rest = key.removeprefix(head)
        if head == "encoder.layers.":
            number, part, kind = rest.split(".")
            rest = f"{number}.{inner[part]}.{kind}"
        state[heads.get(head, "") + rest] = value
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"cls.predictions.bias"}
    if task == "masked_language":
        theirs.cls.predictions.bias.data.copy_(ours.decoder.bias)
    tokens = torch.randint(1, 50, (3, 12))
    tokens[1:, 8:] = 0
    segments = (torch.arange(12) > 5).long().expand(3, 12)
    expected = theirs(tokens, attention_mask=(tokens != 0).long(), token_type_ids=segments).logits
    assert torch.allclose(ours(tokens, segments), expected, atol=2e-4, rtol=1e-4)
