"""In a process of its own: measure `N.tflite` of a folder, from the given N on, as `pipeline inspect` does.

stdout says which one is being measured, so that the parent knows which one has ended the process.
"""

import contextlib
import resource
import sys
from pathlib import Path

from converters.findings.experiment import run
from converters.findings.interpreter import Laboratory
from models.errors import InputError, VerificationError

LIMIT_S = 5  # a call that takes longer ends the process by SIGALRM


def main(folder: Path, first: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    number = first
    while (path := folder / f"{number}.tflite").exists():
        print(number, flush=True)
        with contextlib.suppress(InputError, VerificationError):
            run(path.read_bytes(), laboratory=Laboratory(LIMIT_S))
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
