"""Where the data for acceptance runs lies: `shared/data` beside the repository or a folder around it."""

from pathlib import Path

from source_tree import ROOT

SHARED = next((p / "shared/data" for p in ROOT.parents if (p / "shared/data").is_dir()), Path("absent"))
REASON = "the data for acceptance runs is not beside the repository"
