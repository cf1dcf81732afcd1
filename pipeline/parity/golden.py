"""`golden.npz`: windows and what the float model answered, for tests on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.parity.outputs import Array, Outputs

LARGEST = 100_000_000  # bytes of the arrays; attention of every step to every step is long before the windows


def write_golden(
    path: Path,
    raw: Array,
    features: Array,
    labels: Array,
    float_model: Outputs,
    task: str = "classification",
    seed: int = 0,
) -> list[str]:
    """Writes the windows, or a seeded sample of them where all would pass 100 MB.

    Args:
        raw, features: [n, T, F], in raw units and standardized.
        labels: [n, ...], of a regression in raw units.
        float_model: what the original float model answered.
        task: written beside them where it is not a classification; so are `lengths`, where steps at the end
            are padding.

    Returns:
        A note where not all of them were taken.
    """
    arrays = {
        "raw_features": raw,
        "features": features,
        "labels": labels,
        "float_logits": float_model.logits.astype(np.float32, copy=False),
        "float_attention_weights": float_model.attention_weights.astype(np.float32, copy=False),
    }
    if float_model.real is not None and float_model.real[:, 0].all():
        arrays["lengths"] = float_model.real.sum(axis=1)
    said = {} if task == "classification" else {"task": np.array(task)}
    total = len(features)
    fitting = max(1, LARGEST * total // max(1, sum(array.nbytes for array in arrays.values())))
    if fitting >= total:
        np.savez_compressed(path, allow_pickle=False, **arrays, **said)
        return []
    chosen = np.sort(np.random.default_rng(seed).permutation(total)[:fitting])
    sample = {name: array[chosen] for name, array in arrays.items()}
    np.savez_compressed(path, allow_pickle=False, **sample, **said)
    return [f"golden.npz holds {fitting} of the {total} windows, a seeded sample: all would pass 100 MB."]
