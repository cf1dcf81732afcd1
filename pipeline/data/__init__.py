"""Data sets by name, readers of the user's own files, and what is done to windows before the model."""

from pipeline.data import (  # noqa: F401  each registers itself
    basic_motions,
    csv_data,
    japanese_vowels,
    npz,
    ts_archive,
    wav_folder,
)
from pipeline.data.dataset import SequenceDataset
from pipeline.data.prepared import PreparedData, prepare
from pipeline.data.preprocessing import Preprocessing
from pipeline.data.registry import DatasetInfo, describe, load_dataset, names, source_identity

__all__ = [
    "DatasetInfo",
    "PreparedData",
    "Preprocessing",
    "SequenceDataset",
    "describe",
    "load_dataset",
    "names",
    "prepare",
    "source_identity",
]
