"""Where a file is run: on this machine, as arm64 code under qemu, on another machine, on a phone."""

from pipeline.targets import adb, arm64, host, ssh  # noqa: F401 - each registers its target
from pipeline.targets.target import Options, Target, target_named, targets_named

__all__ = ["Options", "Target", "target_named", "targets_named"]
