"""The overview, the languages, the exit codes, and what the last line of a failure is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from danlu import errors
from danlu.cli import main as cli
from danlu.cli.main import CODES, COMMANDS, main


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, env={**os.environ, **environment}, timeout=60)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_overview(danlu, arguments: list[str]) -> None:
    answer = danlu(*arguments)
    assert answer.code == 0
    assert all(re.search(rf"^  {command} ", answer.out, re.MULTILINE) for command in COMMANDS)
    assert all(re.search(rf"^  {code} ", answer.out, re.MULTILINE) for code in CODES)


def test_every_exit_code_is_documented() -> None:
    codes = [value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)]
    assert set(codes) | {0, 130} == set(CODES)


@pytest.mark.parametrize("wrong", [["train", "digts"], ["look", "data.path=none.csv"], ["report", "nothing"], ["train", "digits", "--otu"]])
def test_a_failure_is_json_too(danlu, wrong: list[str]) -> None:
    answer = danlu(*wrong, "--json")
    error = json.loads(answer.out)["error"]
    assert error["code"] == answer.code == 2
    assert error["kind"] == "BadInput"
    assert answer.err == f"danlu: {error['message']}\n"
    assert danlu(*wrong).out == ""
    assert danlu(*wrong, "--", "--json").out == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_helps_in_both_languages(danlu, command: str) -> None:
    english, chinese = danlu(command, "--help"), danlu(command, "--help", "--lang", "zh")
    assert english.code == chinese.code == 0
    assert english.out.startswith(f"usage: danlu {command}")
    assert chinese.out.startswith(f"用法：danlu {command}")
    assert not re.search("[\u4e00-\u9fff]", english.out)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_language_may_stand_anywhere(danlu, place: int) -> None:
    arguments = ["list", "model"]
    arguments[place:place] = ["--lang", "zh"]
    assert "多层感知机" in danlu(*arguments).out


def test_language_comes_from_the_environment(danlu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANLU_LANG", "zh_CN")
    assert "没有命令" in danlu("foo").err
    assert "there is no command" in danlu("foo", "--lang", "en").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "`train`"),
        (["--jsn"], "danlu has no flag"),
        (["--lang", "fr"], "en or zh"),
        (["list", "--lang"], "en or zh"),
        (["help", "trian"], "`train`"),
        (["train"], "needs RECIPE"),
    ],
)
def test_bad_lines(danlu, arguments: list[str], said: str) -> None:
    answer = danlu(*arguments)
    assert (answer.code, answer.out) == (errors.BAD_INPUT, "")
    assert said in answer.last


def test_an_unknown_error_keeps_its_traceback(danlu, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> int:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(cli, "_dispatch", fail)
    answer = danlu("list")
    assert answer.code == errors.BUG
    assert "Traceback" not in answer.err
    assert "ZeroDivisionError: by nought" in answer.last
    path = Path(re.search(r"in (\S+traceback\S+\.txt)", answer.last)[1])
    assert "ZeroDivisionError: by nought" in path.read_text("utf-8")
    path.unlink()
    shown = danlu("list", "--debug")
    assert "Traceback" in shown.err
    assert "Traceback" not in shown.last


def test_ctrl_c_before_anything(danlu, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_dispatch", stop)
    assert danlu("list").code == 130


TOLD_AGAIN = """
import atexit, os, signal, sys
from danlu.cli import main as cli
from danlu.errors import Sentence
from danlu.run.stop import SIGNALS, Stopped

def stop(arguments):
    raise KeyboardInterrupt if sys.argv[1:] else Stopped(Sentence("saved", "saved"))

cli._dispatch = stop
atexit.register(lambda: [os.kill(os.getpid(), number) for number in SIGNALS])
sys.exit(cli.main())
"""


@pytest.mark.parametrize("words, code", [([], errors.SAVED_RUN_AGAIN), (["x"], 130)])
def test_who_was_told_to_stop_and_is_told_again_keeps_its_code(words: list[str], code: int) -> None:
    """A batch system sends SIGTERM more than once, and a person Ctrl-C; the second may come while Python takes itself down."""
    done = subprocess.run([sys.executable, "-c", TOLD_AGAIN, *words], capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["show", "mixup"], ["list", "--json"], ["train", "--help"], ["nonsense"]])
def test_without_torch(arguments: list[str]) -> None:
    answer = process("-c", f"import sys; from danlu.cli.main import main; main({arguments!r}); sys.exit('torch' in sys.modules)")
    assert answer.returncode == 0, answer.stderr.decode()


def test_the_module_runs_and_a_closed_pipe_is_no_error() -> None:
    assert process("-m", "danlu", "--version").stdout.startswith(b"danlu ")
    pipe = subprocess.Popen([sys.executable, "-m", "danlu", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe.stdout.close()
    assert pipe.stderr.read() == b""
    assert pipe.wait() == 0


def test_redirected_output_is_utf8_whatever_the_locale() -> None:
    answer = process("-m", "danlu", "list", "model", "--lang", "zh", PYTHONIOENCODING="gbk")
    assert "多层感知机" in answer.stdout.decode("utf-8")


def test_language_is_forgotten_afterwards() -> None:
    before = errors.language()
    main(["list", "placement", "--lang", "zh"])
    assert errors.language() == before
