"""Files that were copied to a device: run in a folder of their own, without the project on the path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_alone(code: str, folder: Path) -> Any:
    """What a new Python prints as JSON, started in `folder` with nothing of ours beside it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
