"""Kill a build before each of its steps on the disk, one after another, and look at what is left.

Every call that changes a name or waits for the disk is a step. Before step n the building process
sends SIGKILL to itself; then nothing broken may lie under a final name, and the next build has to
end with the same files as one that was never killed, redoing at most the stage under way.

    python kill_at_every_step.py FOLDER        prints the number of steps
"""

import os
import signal
import sys
from pathlib import Path

from fake_stages import contents, fake_stages, run_build

from pipeline.build import PUBLISHED
from pipeline.config import BuildConfig, ModelSection
from pipeline.store import Store

STEPS = ("rename", "replace", "fsync", "unlink", "rmdir", "mkdir")
SMALL = BuildConfig(model=ModelSection(units=(3,)))


def build_and_die(out: Path, step: int) -> bool:
    """Build in a child that kills itself before that step; True if it came to the end first."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(original):
            def call(*args, **kwargs):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return original(*args, **kwargs)

            return call

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        run_build(out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def check(out: Path, whole: dict[str, str], before: dict[str, str]) -> None:
    """What is left is whole, and the next build completes it."""
    stored = set()
    if Store.exists(out):
        with Store(out) as store:
            stored = {stage.name for stage in fake_stages() if store.read(stage.name)}  # raises if damaged
    for name in PUBLISHED:
        if (out / name).exists():
            assert (out / name).read_text() in (whole[name], before.get(name)), name
    stages = fake_stages()
    run_build(out, stages=stages)
    if not before:  # nothing stored had to be replaced, so nothing stored is done twice
        assert all(not stage.runs for stage in stages if stage.name in stored), stored
    found = contents(out)
    assert found == whole, {n for n in {*found, *whole} if found.get(n) != whole.get(n)}


def main(folder: Path) -> None:
    for configs in ((), (SMALL,)):  # from nothing; from a finished build with another option

        def prepare(out: Path, configs=configs) -> dict[str, str]:
            for config in configs:
                run_build(out, config)
            return contents(out) if configs else {}

        reference = folder / f"{len(configs)}"
        before = prepare(reference)
        run_build(reference)
        whole = contents(reference)
        step, ended = 0, False
        while not ended:
            out = folder / f"{len(configs)}-{step}"
            prepare(out)
            ended = build_and_die(out, step)
            check(out, whole, before)
            step += 1
        print(step)


main(Path(sys.argv[1]))
