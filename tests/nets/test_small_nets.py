"""MLP, CNN and ResNet: known sizes, known formulas, and facts they cannot serve."""

import pytest
import torch
from torch import nn

from danlu.data.source import Facts
from danlu.errors import BadInput
from danlu.nets.cnn import CNN
from danlu.nets.flops import step_flops
from danlu.nets.mlp import MLP
from danlu.nets.resnet import ResNet

torch.set_num_threads(1)
IMAGES = Facts("classify", (1, 28, 28), 10)
TOKENS = Facts("classify", (16,), 3, vocab=50)


def size(model):
    return sum(p.numel() for p in model.parameters())


def test_mlp_is_the_formula():
    model = MLP(hidden=(5, 7), activation="tanh")(Facts("classify", (4,), 3)).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    (a, b, c), expected = [m for m in model.modules() if isinstance(m, nn.Linear)], x
    for layer in (a, b):
        expected = torch.tanh(expected @ layer.weight.T + layer.bias)
    assert torch.allclose(model(x), expected @ c.weight.T + c.bias)
    assert size(model) == 4 * 5 + 5 + 5 * 7 + 7 + 7 * 3 + 3


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
def test_mlp_takes_images_and_keeps_the_scale(norm, activation):
    torch.manual_seed(0)
    model = MLP(hidden=(256,) * 4, norm=norm, activation=activation)(IMAGES)
    y = model(torch.randn(256, 1, 28, 28))
    assert y.shape == (256, 10) and 0.1 < y.std() < 3


def test_mlp_without_hidden_layers_is_linear():
    assert size(MLP(hidden=())(Facts("regress", (8,), 2))) == 18


@pytest.mark.parametrize("depth, parameters", [(18, 11689512), (34, 21797672), (50, 25557032), (101, 44549160), (152, 60192808)])
def test_resnet_has_the_published_size(depth, parameters):
    with torch.device("meta"):
        assert size(ResNet(depth=depth, in_channels=3, num_classes=1000)()) == parameters


def test_thin_resnet_has_the_published_size():
    """0.27 M and 1.7 M in table 6 of the paper (its shortcuts have no weights: ours have 2,752 more with their norms)."""
    facts = Facts("classify", (3, 32, 32), 10)
    assert size(ResNet(depth=20)(facts)) == 272474
    assert round(size(ResNet(depth=110)(facts)) / 1e6, 1) == 1.7


def test_resnet_flops_are_the_published_ones():
    """1.8 billion multiply-adds for 18 layers at 224 pixels (table 1); a step is three forwards of two operations each."""
    with torch.device("meta"):
        model, x = ResNet(depth=18, in_channels=3, num_classes=1000)(), torch.empty(2, 3, 224, 224)
    assert step_flops(model, x) / 2 / 6 == pytest.approx(1.814e9, rel=1e-3)


def test_every_residual_block_starts_as_its_shortcut():
    model = ResNet(depth=34, width=8)(Facts("classify", (3, 32, 32), 5)).eval()
    x = torch.rand(2, 8, 8, 8)
    assert torch.equal(model.layer1(x), x)


@pytest.mark.parametrize("model", [CNN(widths=(4, 8)), ResNet(depth=20, width=4, drop_path=0.2), ResNet(depth=50, width=4)])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (2, 17, 23)])
def test_image_nets_answer_and_every_weight_gets_a_gradient(model, shape):
    torch.manual_seed(0)
    net = model(Facts("classify", shape, 7))
    for module in net.modules():  # zero-initialised scales hide the weights before them at the first step
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    y = net(torch.randn(8, *shape))
    assert y.shape == (8, 7)
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in net.parameters())


def test_the_stem_follows_the_image():
    assert ResNet()(Facts("classify", (3, 32, 32), 2)).conv1.kernel_size == (3, 3)
    assert ResNet()(Facts("classify", (3, 224, 224), 2)).conv1.kernel_size == (7, 7)
    assert ResNet(stem="imagenet")(Facts("classify", (3, 32, 32), 2)).conv1.kernel_size == (7, 7)


def test_cnn_is_cheap():
    assert 10e6 < step_flops(CNN()(IMAGES), torch.randn(1, 1, 28, 28)) / 3 < 25e6


@pytest.mark.parametrize(
    "model, facts, words",
    [
        (MLP(), TOKENS, "bert"),
        (MLP(), Facts("classify", (4,), 2, cardinalities=(3,)), "tabular_net"),
        (MLP(in_features=5), Facts("classify", (4,), 2), "in_features"),
        (MLP(out_features=3), Facts("classify", (4,), 2), "out_features"),
        (MLP(out_features=3), None, "in_features"),
        (MLP(), Facts("language", (4,), 2), "language"),
        (CNN(), Facts("classify", (4,), 2), "mlp"),
        (CNN(), TOKENS, "bert"),
        (CNN(widths=(2,) * 6), IMAGES, "28x28"),
        (CNN(num_classes=4), IMAGES, "num_classes"),
        (ResNet(in_channels=3), IMAGES, "in_channels"),
        (ResNet(), Facts("regress", (4,), 2), "mlp"),
    ],
)
def test_facts_that_do_not_fit_are_refused_in_a_sentence(model, facts, words):
    with pytest.raises(BadInput, match=words):
        model(facts)


def test_cnn_drops_whole_channels_after_every_stage_and_its_mean_stays():
    seen = []
    net = CNN(widths=(16, 32), spatial_dropout=0.4)(IMAGES)
    for block in net.blocks:
        block.register_forward_hook(lambda block, args, output: seen.append(output))
    x = torch.rand(64, 1, 28, 28)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net.train()(x)
    for output in seen:
        gone = (output == 0).flatten(2)
        assert 0.3 < float(gone.all(2).float().mean()) < 0.5
        assert len({tuple(row) for row in gone.all(2).tolist()}) > 60  # each row loses channels of its own
    assert torch.equal(net.eval()(x), net(x))
    plain = CNN(widths=(16, 32))(IMAGES)
    plain.load_state_dict(net.state_dict())
    assert torch.equal(plain.eval()(x), net(x))
