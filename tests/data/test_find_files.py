"""Where files are found, and what is said when they are not; downloads from a server on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import threading
from pathlib import Path

import pytest

from danlu.data import find_files
from danlu.data.find_files import dataset_folder, download, local_folder
from danlu.errors import BadInput

CONTENT = b"what is in the file" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def places(tmp_path, monkeypatch):
    """($DANLU_DATA, the cache folder), both empty."""
    own, cache = tmp_path / "own", tmp_path / "cache"
    own.mkdir()
    monkeypatch.setenv("DANLU_DATA", str(own))
    monkeypatch.setattr(find_files, "cache_folder", lambda: cache)
    return own, cache


@pytest.fixture
def server(tmp_path):
    """A URL prefix that serves `a.bin`."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def files_under(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def put(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.bin").write_bytes(content)
    return folder / "a.bin"


def test_own_folder_comes_before_the_cache(places):
    own, cache = places
    put(cache / "set")
    assert dataset_folder("set", {"a.bin": SHA}) == cache / "set"
    put(own / "set")
    assert dataset_folder("set", {"a.bin": SHA}) == own / "set"


def test_missing_file_says_where_to_put_what(places):
    own, _ = places
    with pytest.raises(BadInput) as trouble:
        dataset_folder("set", {"a.bin": SHA, "b.bin": "0" * 64})
    for part in ("set", str(own / "set" / "a.bin"), SHA, str(own / "set" / "b.bin"), "0" * 64):
        assert part in str(trouble.value)
    assert trouble.value.code == 2


def test_missing_file_without_an_own_folder_belongs_in_the_cache(places, monkeypatch):
    monkeypatch.delenv("DANLU_DATA")
    with pytest.raises(BadInput, match=str(places[1] / "set" / "a.bin")):
        dataset_folder("set", {"a.bin": SHA})


@pytest.mark.parametrize("place", [0, 1])
def test_wrong_content_is_never_used(places, place):
    path = put(places[place] / "set", b"x" + CONTENT[1:])
    with pytest.raises(BadInput) as trouble:
        dataset_folder("set", {"a.bin": SHA})
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert str(path) in str(trouble.value)
    assert SHA in str(trouble.value)
    assert found in str(trouble.value)


def test_rot_that_changes_neither_size_nor_time_is_found(places):
    path = put(places[0] / "set")
    assert dataset_folder("set", {"a.bin": SHA}) == places[0] / "set"
    before = path.stat()
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(BadInput):
        dataset_folder("set", {"a.bin": SHA})


def test_download_into_the_cache(places, server):
    folder = dataset_folder("set", {"a.bin": SHA}, server)
    assert folder == places[1] / "set"
    assert (folder / "a.bin").read_bytes() == CONTENT
    assert files_under(folder) == ["a.bin"]
    assert local_folder("set", {"a.bin": SHA}) == folder


def test_download_by_file_url(places, tmp_path):
    path = put(tmp_path / "published")
    assert (dataset_folder("set", {"a.bin": SHA}, path.parent.as_uri() + "/") / "a.bin").read_bytes() == CONTENT


def test_download_with_another_content_leaves_nothing(tmp_path, server):
    with pytest.raises(BadInput, match=f"{'0' * 64}, found {SHA}"):
        download(server + "a.bin", tmp_path / "to" / "a.bin", "0" * 64)
    assert files_under(tmp_path / "to") == []


def test_download_larger_than_allowed_leaves_nothing(tmp_path, server):
    with pytest.raises(BadInput, match="larger than the 100 bytes"):
        download(server + "a.bin", tmp_path / "to" / "a.bin", SHA, max_bytes=100)
    assert files_under(tmp_path / "to") == []


def test_unreachable_names_the_address_and_the_place(places, server):
    with pytest.raises(BadInput) as trouble:
        dataset_folder("set", {"gone.bin": SHA}, server)
    for part in (server + "gone.bin", "HTTP Error 404", str(places[0] / "set" / "gone.bin"), SHA):
        assert part in str(trouble.value)


def test_address_tables_are_https():
    from danlu.data import adult, banking77, california_housing, corpora, mnist

    urls = [
        adult.URL,
        banking77.URL,
        california_housing.URL,
        corpora.SHAKESPEARE_URL,
        mnist.FASHION_URL,
        mnist.MNIST_URL,
        mnist.MNIST_TEST_URL,
    ]
    assert all(url.startswith("https://") and url.endswith("/") for url in urls)
