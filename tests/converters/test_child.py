import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from converters.child import run_in_child, say
from models.errors import ConversionError, FuselageError, InputError

JOBS = """
import ctypes, os, signal, sys, time
from converters.child import say
from models.errors import ConversionError, InputError

def double(folder, arguments):
    (folder / "made.txt").write_text("by the child")
    say("half way")
    say("two\\nlines, \\u00fc")
    return {"twice": 2 * arguments["number"]}

def noise(folder, arguments):
    print("a print")
    sys.stdout.flush()
    os.write(1, b"native \\xff garbage\\n")
    return {"fine": True}

def segfault(folder, arguments):
    ctypes.string_at(0)

def abort(folder, arguments):
    os.write(2, b"check failed: quant_scale > 0\\n")
    os.abort()

def killed(folder, arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def bug(folder, arguments):
    raise KeyError("a bug")

def input_error(folder, arguments):
    raise InputError("Bad data.", "Look at row 3.")

def conversion_error(folder, arguments):
    raise ConversionError("Not fused.")

def no_json(folder, arguments):
    return {"value": object()}

def leave(folder, arguments):
    os._exit(0)

def crash_at_exit(folder, arguments):
    import atexit
    atexit.register(os.abort)
    return {"fine": True}

def hang(folder, arguments):
    (folder / "pid").write_text(str(os.getpid()))
    say("hanging")
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "child_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)


class Ears:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def message(self, text: str) -> None:
        self.heard.append(text)


def test_the_result_comes_back_and_messages_are_heard(tmp_path: Path) -> None:
    folder, ears = tmp_path / "new" / "folder", Ears()
    assert run_in_child("child_jobs:double", folder, {"number": 21}, ears) == {"twice": 42}
    assert ears.heard == ["half way", "two lines, ü"]
    assert (folder / "made.txt").read_text() == "by the child"
    assert run_in_child("child_jobs:double", folder, {"number": 1}) == {"twice": 2}


def test_saying_something_outside_of_a_child_does_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    say("hello")
    assert capfd.readouterr() == ("", "")


def test_what_is_printed_goes_to_the_log_and_not_to_the_messages(tmp_path: Path) -> None:
    ears = Ears()
    assert run_in_child("child_jobs:noise", tmp_path, {}, ears) == {"fine": True}
    assert ears.heard == []
    assert b"a print" in (tmp_path / "log.txt").read_bytes()
    assert b"native \xff garbage" in (tmp_path / "log.txt").read_bytes()


@pytest.mark.parametrize(
    ("job", "words", "tip"),
    [
        ("segfault", r"ended by SIGSEGV\. It printed nothing", "NaN or infinite"),
        ("abort", r"ended by SIGABRT.*quant_scale > 0", "last lines"),
        ("killed", r"ended by SIGKILL\. It printed nothing", "memory"),
        ("bug", r"failed with exit code 1.*KeyError: 'a bug'", ""),
        ("no_json", r"failed with exit code 1.*not JSON serializable", ""),
        ("leave", r"ended without a result", ""),
        ("absent", r"failed with exit code 1.*has no attribute 'absent'", ""),
    ],
)
def test_a_crash_becomes_a_conversion_error(tmp_path: Path, job: str, words: str, tip: str) -> None:
    with pytest.raises(ConversionError, match=f"(?s){words}") as caught:
        run_in_child(f"child_jobs:{job}", tmp_path, {})
    assert tip in caught.value.tip
    assert len(caught.value.message.splitlines()) <= 13


@pytest.mark.parametrize(
    ("job", "kind", "message", "tip"),
    [
        ("input_error", InputError, "Bad data.", "Look at row 3."),
        ("conversion_error", ConversionError, "Not fused.", ""),
    ],
)
def test_our_errors_come_back_as_they_were(
    tmp_path: Path, job: str, kind: type[FuselageError], message: str, tip: str
) -> None:
    with pytest.raises(kind) as caught:
        run_in_child(f"child_jobs:{job}", tmp_path, {})
    assert (caught.value.message, caught.value.tip) == (message, tip)


def test_an_old_result_or_error_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps({"old": True}))
    with pytest.raises(ConversionError, match="SIGKILL"):
        run_in_child("child_jobs:killed", tmp_path, {})
    with pytest.raises(InputError):
        run_in_child("child_jobs:input_error", tmp_path, {})
    assert run_in_child("child_jobs:double", tmp_path, {"number": 1}) == {"twice": 2}


def test_a_crash_while_the_process_is_torn_down_does_not_undo_the_result(tmp_path: Path) -> None:
    assert run_in_child("child_jobs:crash_at_exit", tmp_path, {}) == {"fine": True}


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(path: Path) -> int:
    until = time.monotonic() + 20
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return int(path.read_text())


def test_ctrl_c_ends_the_child(tmp_path: Path) -> None:
    def press() -> None:
        wait_for(tmp_path / "pid")
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_in_child("child_jobs:hang", tmp_path, {})
    thread.join()
    assert not is_running(wait_for(tmp_path / "pid"))


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = "import pathlib, sys; from converters.child import run_in_child; "
    code += "run_in_child('child_jobs:hang', pathlib.Path(sys.argv[1]), {})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], env=environment) as parent:
        child = wait_for(tmp_path / "pid")
        parent.kill()
    until = time.monotonic() + 10
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(child)
