import pytest
from fuzzing import EXAMPLES
from hypothesis.configuration import set_hypothesis_home_dir


def pytest_configure(config: pytest.Config) -> None:
    set_hypothesis_home_dir(config.rootpath / ".pytest_cache" / "hypothesis")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, count in sorted(EXAMPLES.items()):
        terminalreporter.write_line(f"fuzzed: {count} x {name}")
