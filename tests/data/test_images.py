"""Image rows: normalisation, and augmentation that depends on (the key of the pass, row) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from danlu.data.images import Images, augmented, channel_statistics

IMAGES = torch.randint(0, 256, (40, 3, 16, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.arange(40)


def rows(augment="none"):
    return Images(IMAGES, TARGETS, (100.0, 120.0, 140.0), (50.0, 60.0, 70.0), augment)


def test_inputs_are_normalised_floats():
    ids = torch.tensor([7, 3])
    inputs, targets = rows().fetch(ids, 0)
    expected = (IMAGES[ids].numpy().astype(np.float32) - np.float32([100, 120, 140])[:, None, None]) / np.float32([50, 60, 70])[
        :, None, None
    ]
    assert inputs.dtype == torch.float32
    np.testing.assert_allclose(inputs.numpy(), expected, rtol=1e-6)
    assert targets.tolist() == [7, 3]


def test_channel_statistics_are_those_of_numpy():
    mean, std = channel_statistics(IMAGES)
    np.testing.assert_allclose(mean, IMAGES.numpy().mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, IMAGES.numpy().std((0, 2, 3)), rtol=1e-9)


def test_constant_channel_has_deviation_one():
    assert channel_statistics(torch.full((4, 1, 2, 2), 9, dtype=torch.uint8)) == ((9.0,), (1.0,))


def test_augmented_is_pad_mirror_crop():
    draws = torch.tensor([[0.2, 0.0, 0.99], [0.9, 0.5, 0.3], [0.49, 0.7, 0.0]])
    found = augmented(IMAGES[:3], draws, 2).numpy()
    for row in range(3):
        padded = np.pad(IMAGES[row].numpy(), ((0, 0), (2, 2), (2, 2)))
        flip, top, left = draws[row].tolist()
        top, left = int(top * 5), int(left * 5)
        window = padded[:, top : top + 16, left : left + 12]
        np.testing.assert_array_equal(found[row], window[:, :, ::-1] if flip < 0.5 else window)


@pytest.mark.parametrize("augment", ["flip", "flip_crop"])
def test_augmentation_belongs_to_the_row_not_the_batch(augment):
    together = rows(augment).fetch(torch.arange(40), 3)[0]
    for ids in (torch.tensor([5]), torch.tensor([9, 5, 31])):
        assert torch.equal(rows(augment).fetch(ids, 3)[0], together[ids])


@pytest.mark.parametrize("augment", ["flip", "flip_crop"])
def test_augmentation_changes_with_the_pass(augment):
    ids = torch.arange(40)
    first = rows(augment).fetch(ids, 0)[0]
    assert torch.equal(first, rows(augment).fetch(ids, 0)[0])
    assert not torch.equal(first, rows(augment).fetch(ids, 1)[0])


def test_flip_mirrors_about_half():
    ids = torch.arange(40)
    plain = rows().fetch(ids, 0)[0]
    mirrored = 0
    for epoch in range(25):
        flipped = rows("flip").fetch(ids, epoch)[0]
        same, mirror = (flipped == plain).flatten(1).all(1), (flipped == plain.flip(3)).flatten(1).all(1)
        assert bool((same ^ mirror).all())
        mirrored += int(mirror.sum())
    assert abs(mirrored / 1000 - 0.5) < 4 * (0.25 / 1000) ** 0.5  # four standard errors


def test_crop_moves_every_way():
    draws = torch.rand(2000, 3, generator=torch.Generator().manual_seed(1))
    dot = torch.zeros(2000, 1, 16, 16, dtype=torch.uint8)
    dot[:, :, 8, 8] = 1
    places = augmented(dot, torch.cat((torch.ones(2000, 1), draws[:, 1:]), 1), 2).flatten(1).argmax(1)
    assert sorted({(int(p) // 16 - 8, int(p) % 16 - 8) for p in places}) == [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
