"""The same Keras model converted without fusing its LSTMs: the WHILE loop that one gets elsewhere."""

from __future__ import annotations

from pathlib import Path

from converters.child import run_in_child
from converters.unfused import UNFUSED
from models.errors import FuselageError
from pipeline.benchmark.peers import Missing, PeerModel
from pipeline.benchmark.peers.checking import largest_error
from pipeline.benchmark.subjects import Subject
from pipeline.progress import Progress

SAVED_MODEL = Path("stages", "train", "saved_model")


class UnfusedLoop:
    """See the module."""

    def make(self, subject: Subject, folder: Path, progress: Progress) -> list[PeerModel]:
        """From the SavedModel of the build that the file lies in; TensorFlow is loaded in a child process."""
        saved_model = (subject.folder or subject.path.parent) / SAVED_MODEL
        if not (saved_model / "saved_model.pb").is_file():
            raise Missing(
                f"needs the build folder of {subject.name}: there is no {SAVED_MODEL.as_posix()} beside it"
            )
        work = folder / "unfused"
        try:
            run_in_child("converters.unfused:unfused_job", work, {"saved_model": str(saved_model)}, progress)
            error = largest_error(subject.path, work / UNFUSED, "tflite", folder / "check", exact=True)
        except FuselageError as error_:
            raise Missing(f"left out for {subject.name}: {error_.message}") from error_
        return [PeerModel("TFLite, unfused float32", work / UNFUSED, "tflite", error)]


PEER = UnfusedLoop()
