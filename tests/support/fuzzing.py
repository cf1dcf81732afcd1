"""How much a fuzz test tries, and what no input may ask for: more than 5 s of computing or a gigabyte.

The tests try little and always the same; `make fuzz` (FUZZ_EXAMPLES=20000, for each fuzz test) more and
always something else. What fails is printed with a line that repeats it.
"""

import contextlib
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings

WANTED = int(os.environ.get("FUZZ_EXAMPLES", 0))
LIMIT_S = 5.0
"""Of the process's own computing, so that a busy machine does not count."""
LIMIT_BYTES = 1 << 30

EXAMPLES: Counter[str] = Counter()
"""How many blocks of each name have been entered."""


def tries(usual: int) -> settings:
    """Decorate a test: so many examples, unless FUZZ_EXAMPLES wants others."""
    return settings(
        max_examples=WANTED or usual,
        derandomize=not WANTED,
        deadline=None,  # `bounded` has its own
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


class TooLong(AssertionError):
    """A block did not come to an end in time."""


@contextlib.contextmanager
def bounded(name: str) -> Iterator[None]:
    """Count the block; let it fail where it computes for too long, or run out of memory it does not need."""

    def too_long(*_: object) -> None:
        raise TooLong(f"{name}: more than {LIMIT_S} s")

    EXAMPLES[name] += 1
    before, most = signal.signal(signal.SIGVTALRM, too_long), resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + LIMIT_BYTES, most[1]))
    start = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, most)
    if time.process_time() - start > LIMIT_S:  # a long call into C takes no signal
        raise TooLong(f"{name}: {time.process_time() - start:.1f} s")
