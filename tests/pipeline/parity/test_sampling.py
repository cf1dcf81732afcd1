"""A sample has the size that was asked for, every class, and is always the same."""

from __future__ import annotations

import numpy as np

from pipeline.parity.sampling import stratified_sample


def test_few_windows_are_all_taken() -> None:
    assert stratified_sample(np.array([0, 1, 0]), limit=3).tolist() == [0, 1, 2]


def test_classes_keep_their_shares() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    chosen = stratified_sample(labels, limit=50)
    assert np.bincount(labels[chosen]).tolist() == [30, 15, 5]
    assert (np.diff(chosen) > 0).all()


def test_shares_are_rounded_by_largest_remainder() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])  # of 7: 3.5, 2.1, 1.4
    assert np.bincount(labels[stratified_sample(labels, limit=7)]).tolist() == [4, 2, 1]


def test_a_tiny_class_is_there_and_the_limit_holds() -> None:
    labels = np.repeat([0, 1, 2], [9000, 1, 1])
    chosen = stratified_sample(labels, limit=10)
    assert np.bincount(labels[chosen]).tolist() == [8, 1, 1]


def test_the_seed_decides() -> None:
    labels = np.arange(1000) % 4
    first = stratified_sample(labels, limit=100)
    assert (first == stratified_sample(labels, limit=100)).all()
    assert (first != stratified_sample(labels, limit=100, seed=1)).any()
