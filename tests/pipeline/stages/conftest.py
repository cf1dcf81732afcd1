"""One tiny build, stage by stage, on data that a model of four units can learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config import BuildConfig
from pipeline.data.dataset import SequenceDataset
from pipeline.data.prepared import prepare
from pipeline.progress import Silence
from pipeline.stages import StageContext, load

STEPS, FEATURES = 5, 2
OPTIONS: dict[str, dict[str, Any]] = {
    "model": {"units": 4},
    "train": {"epochs": 3, "batch_size": 8},
    "quantize": {"qat_epochs": 2},
}


class Listener(Silence):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


class TinyBuild:
    """The folders of a store; a stage reads those of the stages before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listener = Listener()

    def run(self, stage: str, into: str = "", **sections: dict[str, Any]) -> Path:
        """Run a stage into its folder, or into another; sections override ``OPTIONS``."""
        options = {
            name: {**OPTIONS.get(name, {}), **sections.get(name, {})} for name in {*OPTIONS, *sections}
        }
        folder = self.root / (into or stage)
        folder.mkdir()
        config = BuildConfig.model_validate(options)
        load(stage).run(StageContext(config, folder, self.root.joinpath, self.listener))
        return folder


def dataset() -> SequenceDataset:
    """Two classes that differ in the sign of the first channel's mean; raw units far from 0 and 1."""
    random = np.random.default_rng(0)

    def part(count: int) -> tuple[Any, Any]:
        y = np.arange(count) % 2
        x = random.normal(size=(count, STEPS, FEATURES)) * 0.5
        x[..., 0] += (2 * y - 1)[:, np.newaxis]
        return (100 + 20 * x).astype(np.float32), y.astype(np.int64)

    (x_train, y_train), (x_test, y_test) = part(40), part(12)
    full = np.full(40, STEPS), np.full(12, STEPS)
    return SequenceDataset(
        "tiny", x_train, y_train, x_test, y_test, *full, ("left", "right"), ("x", "y"), ("g", "g"), 10.0,
        "none", "Random numbers.",
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_build(tmp_path_factory: pytest.TempPathFactory) -> TinyBuild:
    """With the data prepared; nothing trained yet."""
    build = TinyBuild(tmp_path_factory.mktemp("build"))
    (build.root / "data").mkdir()
    prepare(dataset(), 0.2, seed=0).save(build.root / "data")
    return build


@pytest.fixture(scope="session")
def stage_folder(tiny_build: TinyBuild) -> Callable[[str], Path]:
    """The folder of `train`, `quantize` or `convert`; what it needs is run once, when it is asked for."""
    order = ("data", "train", "quantize", "convert")

    def folder(name: str) -> Path:
        for stage in order[: order.index(name) + 1]:
            if not (tiny_build.root / stage).exists():
                tiny_build.run(stage)
        return tiny_build.root / name

    return folder
