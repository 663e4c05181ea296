"""Own images against Pillow and numpy alone: decoding of every kind of file, splits that do not move, and damaged folders."""

import random
import shutil
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.data import image_pixels
from danlu.data.image_folder import ImageFolder, encode, read_rows
from danlu.data.own_split import split_rows
from danlu.data.table_split import TEST, TRAIN, VAL
from danlu.errors import BadInput

Image = pytest.importorskip("PIL.Image")


def noise(seed, height=12, width=12, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def folder(root, classes=("猫", "狗"), each=20, seed=0, **shape):
    for place, label in enumerate(classes):
        for row in range(each):
            save(root / label / f"图 {row}.png", noise((seed, place, row), **shape))
    return root


def said(data):
    return " | ".join(note["en"] for note in data.preprocess["notes"])


def all_rows(data):
    return {name: rows.content() for name in ("train", "val", "test") if (rows := getattr(data, name)) is not None}


def test_every_row_is_the_image_of_its_class(tmp_path):
    data = ImageFolder(path=str(folder(tmp_path)))()
    assert data.facts.labels == ("狗", "猫") and data.facts.shape == (3, 12, 12) and data.preprocess["kind"] == "images"
    expected = {noise((0, place, row)).tobytes(): label for place, label in enumerate(("猫", "狗")) for row in range(20)}
    seen = {}
    for images, targets in all_rows(data).values():
        assert images.dtype == torch.uint8
        for image, target in zip(images, targets):
            seen[image.permute(1, 2, 0).contiguous().numpy().tobytes()] = data.facts.labels[target]
    assert seen == expected


def test_encode_gives_the_numbers_of_training(tmp_path):
    data = ImageFolder(path=str(folder(tmp_path, each=8)))()
    form = {"shape": list(data.facts.shape), **data.preprocess}
    paths, targets, names = read_rows(form, tmp_path)
    assert len(paths) == 16 and all(data.facts.labels[target] == name.split("/")[0] for target, name in zip(targets, names))
    x = encode(form, paths)
    bytes_BHWC = np.stack([np.asarray(Image.open(path)) for path in paths])
    mean, std = (np.array(form[name]) for name in ("mean", "std"))
    np.testing.assert_allclose(x.numpy(), ((bytes_BHWC - mean) / std).transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
    for given_as in ([Image.open(path) for path in paths], list(bytes_BHWC), [image.transpose(2, 0, 1) for image in bytes_BHWC]):
        assert torch.equal(encode(form, given_as), x)
    trained = data.train.content()[0]
    pixels = torch.from_numpy(bytes_BHWC).permute(0, 3, 1, 2)
    np.testing.assert_allclose(form["mean"], trained.double().mean((0, 2, 3)), rtol=1e-9)
    row = next(row for row in range(16) if torch.equal(pixels[row], trained[3]))
    assert torch.equal(x[row], data.train.fetch(torch.tensor([3]), 0)[0][0])
    assert encode(form, []).shape == (0, 3, 12, 12)


def plain(channels=3, size=8, fit="crop"):
    return {"mean": [0.0] * channels, "std": [1.0] * channels, "shape": [channels, size, size], "fit": fit}


def test_lossless_files_of_every_kind(tmp_path):
    array = noise(1, 8, 8)
    for name, options in {"a.PNG": {}, "a.bmp": {}, "a.webp": {"lossless": True}, "a.tif": {}}.items():
        assert np.array_equal(encode(plain(), [save(tmp_path / name, array, **options)])[0].permute(1, 2, 0), array), name


def test_modes(tmp_path):
    grey, colour = noise(2, 8, 8, 1), noise(3, 8, 8)
    deep = np.random.default_rng(4).integers(0, 65536, (8, 8)).astype(np.uint16)
    assert np.array_equal(encode(plain(1), [save(tmp_path / "16.png", deep)])[0, 0], np.round(deep / 257))
    assert np.array_equal(encode(plain(1), [save(tmp_path / "16.tiff", deep)])[0, 0], np.round(deep / 257))
    assert np.array_equal(encode(plain(), [save(tmp_path / "grey.png", grey)])[0], np.stack([grey] * 3))
    luma = (colour @ np.array([0.299, 0.587, 0.114])).round()
    assert np.abs(encode(plain(1), [colour])[0, 0].numpy() - luma).max() <= 1
    alpha = np.concatenate([colour, np.full((8, 8, 1), 0, np.uint8)], 2)
    alpha[:4, :, 3] = 255
    laid = encode(plain(), [save(tmp_path / "alpha.png", alpha)])[0].permute(1, 2, 0).numpy()
    assert np.array_equal(laid[:4], colour[:4]) and (laid[4:] == 255).all()
    palette = Image.fromarray(colour // 128 * 255).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    palette.save(tmp_path / "p.gif")
    palette.save(tmp_path / "p.png", transparency=palette.getpixel((0, 0)))
    assert np.array_equal(encode(plain(), [tmp_path / "p.gif"])[0].permute(1, 2, 0), colour // 128 * 255)
    assert (encode(plain(), [tmp_path / "p.png"])[0, :, 0, 0] == 255).all()
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[..., 0] = 255  # cyan
    Image.fromarray(inks, "CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    assert np.abs(encode(plain(), [tmp_path / "cmyk.jpg"])[0, :, 4, 4].numpy() - [0, 255, 255]).max() < 12
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.array_equal(encode(plain(1), [tmp_path / "bits.png"])[0, 0], (grey > 127) * 255)


@pytest.mark.parametrize(
    ("orientation", "turn"), {1: lambda a: a, 3: lambda a: a[::-1, ::-1], 6: lambda a: np.rot90(a, -1), 8: lambda a: np.rot90(a)}.items()
)
def test_exif_orientation(tmp_path, orientation, turn):
    array, exif = noise(5, 8, 8), Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(encode(plain(), [save(tmp_path / "a.png", array, exif=exif)])[0].permute(1, 2, 0), turn(array))


def test_resizing_as_pillow_does(tmp_path):
    wide = noise(6, 10, 30)
    middle = Image.fromarray(wide[:, 10:20]).resize((8, 8), Image.Resampling.BICUBIC)
    assert np.abs(encode(plain(), [wide])[0].permute(1, 2, 0).numpy() - np.asarray(middle, float)).max() <= 40  # the kernel sees a border
    whole = Image.fromarray(wide).resize((8, 8), Image.Resampling.BICUBIC)
    assert np.array_equal(encode(plain(fit="stretch"), [wide])[0].permute(1, 2, 0), np.asarray(whole))
    big = np.zeros((600, 900, 3), np.uint8)
    big[:, 150:750] = (200, 30, 60)
    made = encode(plain(), [save(tmp_path / "big.jpg", big, quality=95)])[0]
    assert (made - torch.tensor([200.0, 30.0, 60.0]).view(3, 1, 1)).abs().max() < 30


def test_size_and_colour_come_from_the_train_images(tmp_path):
    assert ImageFolder(path=str(folder(tmp_path / "a", each=4, height=10, width=14, channels=1)))().facts.shape == (1, 10, 14)
    assert ImageFolder(path=str(folder(tmp_path / "b", each=4, height=90, width=120)))().facts.shape == (3, 64, 64)
    mixed = folder(folder(tmp_path / "c", each=4, height=20, width=30), each=3, classes=("c", "d"), height=24, width=24)
    made = ImageFolder(path=str(mixed))()
    assert made.facts.shape in ((3, 20, 20), (3, 22, 22), (3, 24, 24)) and "resized" in said(made)
    assert ImageFolder(path=str(mixed), size=9)().facts.shape == (3, 9, 9)


def parts_of(data):
    return {image.numpy().tobytes(): name for name, (images, _) in all_rows(data).items() for image in images}


def test_adding_renaming_and_removing_moves_no_other_image(tmp_path):
    before = parts_of(ImageFolder(path=str(folder(tmp_path, each=40)))())
    for path in sorted((tmp_path / "猫").iterdir()):
        path.rename(path.with_name(f"renamed {random.random()}.png"))
    sorted((tmp_path / "狗").iterdir())[7].unlink()
    folder(tmp_path / "狗", each=10, seed=1, classes=("more",))
    (tmp_path / "狗").rename(tmp_path / "犬")
    after = parts_of(ImageFolder(path=str(tmp_path))())
    assert set(before.values()) == {"train", "val", "test"}
    assert len(set(before) & set(after)) == 79 and all(after[image] == before[image] for image in set(before) & set(after))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 3)), min_size=2, max_size=80),
    seed=st.integers(0, 2**32 - 1),
)
def test_split_is_a_function_of_what_rows_hold(rows, seed):
    hashes, classes = np.array([h for h, _ in rows], np.uint64), np.array([c for _, c in rows])
    parts, how = split_rows(hashes, classes, np.zeros(len(rows), np.int8))
    order = np.random.default_rng(seed).permutation(len(rows))
    again, _ = split_rows(hashes[order], classes[order], np.zeros(len(rows), np.int8))
    assert how == "hash" and np.array_equal(again, parts[order])
    for label in np.unique(classes):
        own = parts[classes == label]
        assert (own == TRAIN).any()
        if len(np.unique(hashes[classes == label])) >= 3:
            assert {TRAIN, VAL, TEST} == set(own.tolist())
    given_val = np.where(np.arange(len(rows)) % 2, VAL, TRAIN).astype(np.int8)
    assert np.array_equal(split_rows(hashes, classes, given_val)[0], given_val)


def test_given_folders_are_respected(tmp_path):
    for place, part in enumerate(("train", "valid", "Test")):
        folder(tmp_path / part, each=4, seed=place)
    rows = all_rows(ImageFolder(path=str(tmp_path))())
    assert {name: len(targets) for name, (_, targets) in rows.items()} == {"train": 8, "val": 8, "test": 8}
    only = ImageFolder(path=str(tmp_path / "train"), val_path=str(tmp_path / "valid"), test_path=str(tmp_path / "Test"))()
    assert parts_of(only) == parts_of(ImageFolder(path=str(tmp_path))())
    shutil.rmtree(tmp_path / "valid")
    data = ImageFolder(path=str(tmp_path))()
    assert len(data.test) == 8 and len(data.train) + len(data.val) == 8
    shutil.copy(tmp_path / "Test" / "猫" / "图 0.png", tmp_path / "train" / "猫" / "copy.png")
    assert "will look too good" in said(ImageFolder(path=str(tmp_path))())
    folder(tmp_path / "unlabelled")
    with pytest.raises(BadInput, match="unlabelled"):
        ImageFolder(path=str(tmp_path))()


def test_a_class_may_be_called_train(tmp_path):
    assert ImageFolder(path=str(folder(tmp_path, classes=("bus", "car", "train"), each=4)))().facts.labels == ("bus", "car", "train")


def test_what_is_said(tmp_path):
    folder(folder(tmp_path), classes=("rare",), each=2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "猫" / "labels.txt").write_text("x")
    for hidden in (".hidden.png", "._图 0.png"):
        (tmp_path / "猫" / hidden).write_bytes(b"junk")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "a.png").write_bytes(b"junk")
    shutil.copy(tmp_path / "猫" / "图 0.png", tmp_path / "狗" / "same.png")
    data = ImageFolder(path=str(tmp_path))()
    for part in ("class `rare` has no validation image (2 in train)", "labels.txt", "holds no image", "more than one class", "3 classes"):
        assert part in said(data)
    assert ".hidden" not in said(data)
    assert all(set(note) == {"en", "zh"} and "{" not in note["zh"] for note in data.preprocess["notes"])


def damaged(path, how):
    raw = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"hello", "cut": raw[: len(raw) // 2], "header": b"\x89PNG\r\n\x1a\n" + raw[8:20]}[how])


@pytest.mark.parametrize("how", ["empty", "text", "cut", "header"])
@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_damaged_files_are_named(tmp_path, how, ending):
    folder(tmp_path, each=5)
    for row in (3, 4):
        damaged(save(tmp_path / "猫" / f"坏 {row}{ending}", noise(9, 40, 40)), how)
    with pytest.raises(BadInput, match="2 images cannot be read") as caught:
        ImageFolder(path=str(tmp_path))()
    assert f"坏 3{ending}" in str(caught.value) and f"坏 4{ending}" in str(caught.value)
    with pytest.raises(BadInput, match=f"坏 3{ending}"):
        encode(plain(), [tmp_path / "猫" / f"坏 3{ending}"])


def test_refusals(tmp_path):
    def refused(words, **fields):
        with pytest.raises(BadInput) as caught:
            ImageFolder(**fields)()
        assert words in str(caught.value)

    refused("danlu train images data.path=folder")
    refused("there is no folder", path=str(tmp_path / "nothing"))
    (tmp_path / "none").mkdir()
    refused("holds no image", path=str(tmp_path / "none"))
    save(tmp_path / "one" / "a" / "1.png", noise(0))
    refused("one class only, `a` (1 images)", path=str(tmp_path / "one"))
    save(tmp_path / "loose" / "1.png", noise(0))
    refused("1.png", path=str(tmp_path / "loose"))
    folder(tmp_path / "good", each=3)
    folder(tmp_path / "other", classes=("鸟",), each=1)
    refused("`鸟` is none of the trained classes (狗, 猫)", path=str(tmp_path / "good"), val_path=str(tmp_path / "other"))
    with pytest.raises(BadInput, match="鸟"):
        read_rows({**plain(), "labels": ["猫", "狗"]}, tmp_path / "other")
    for array in (np.zeros((8, 8)), np.zeros((8, 8, 5), np.uint8), np.zeros(8, np.uint8)):
        with pytest.raises(BadInput, match="image 1 is an array"):
            encode(plain(), [noise(0), array])
    floats = tmp_path / "f.tiff"
    Image.fromarray(np.zeros((8, 8), np.float32)).save(floats)
    with pytest.raises(BadInput, match="floating-point"):
        encode(plain(), [floats])


def test_forms_of_built_in_images(shared):
    from danlu.data.mnist import MNIST

    data = MNIST(subset=True)()
    images = data.test.content()[0]
    x = encode({"shape": list(data.facts.shape), **data.preprocess}, [image[0].numpy() for image in images[:20]])
    assert torch.equal(x, data.test.fetch(torch.arange(20), 0)[0])


def test_an_image_of_too_many_pixels_is_named_and_large_ones_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    folder(tmp_path, each=4, height=20, width=20)
    monkeypatch.setattr("danlu.data.image_pixels.LARGE", 100)
    entered, plain = [], image_pixels._prepared

    def prepared(*args):
        assert not entered, "two at once"
        entered.append(1)
        time.sleep(0.002)
        entered.clear()
        return plain(*args)

    monkeypatch.setattr("danlu.data.image_pixels._prepared", prepared)
    ImageFolder(str(tmp_path))()
    Image.new("1", (21, 20)).save(tmp_path / "猫" / "wide.png")
    monkeypatch.setattr("danlu.data.image_pixels.MOST_PIXELS", 400)
    with pytest.raises(BadInput, match=r"wide.png: 21 x 20 pixels, more than 400"):
        ImageFolder(str(tmp_path))()
