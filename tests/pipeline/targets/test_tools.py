"""What is missing or fails is said, with what to do."""

import pytest

from models.errors import VerificationError
from pipeline.targets.tools import LOG_LINES, call, failure, need


def test_a_program_that_is_there_is_found() -> None:
    assert need("sh", "This", "").endswith("/sh")


def test_a_program_that_is_missing_is_named_with_the_tip() -> None:
    with pytest.raises(VerificationError, match="This needs the program 'no-such-program'") as caught:
        need("no-such-program", "This", "Install it.")
    assert caught.value.tip == "Install it."


def test_what_a_program_prints_is_returned() -> None:
    assert call(["sh", "-c", "echo yes; echo no >&2"], "It failed", "") == "yes\n"


def test_a_program_that_fails_is_told_with_its_last_lines() -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo line $i >&2; done; exit 3"
    with pytest.raises(VerificationError, match="It failed: exit code 3") as caught:
        call(["sh", "-c", script], "It failed", "Do that.")
    assert caught.value.message.splitlines()[1:] == [f"line {i}" for i in range(10 - LOG_LINES, 10)]
    assert caught.value.tip == "Do that."


def test_nothing_is_asked() -> None:
    assert call(["sh", "-c", "read answer || echo nothing"], "It failed", "") == "nothing\n"


def test_a_signal_is_told() -> None:
    assert failure(-11, "") == "ended by signal 11. It printed nothing."
