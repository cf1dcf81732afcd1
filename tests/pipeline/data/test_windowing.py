import pytest

from pipeline.data.windowing import cut_windows


@pytest.mark.parametrize(
    ("length", "window", "hop", "starts", "unused"),
    [
        (10, 4, 4, [0, 4], 2),
        (10, 4, 3, [0, 3, 6], 0),
        (10, 4, None, [0, 4], 2),
        (10, None, None, [0], 0),
        (10, 10, 1, [0], 0),
        (10, 2, 5, [0, 5], 3),
        (3, 4, 4, [], 3),
    ],
)
def test_where_windows_begin(
    length: int, window: int | None, hop: int | None, starts: list[int], unused: int
) -> None:
    found = cut_windows(length, [["a"] * length], "classification", window, hop)
    assert found.starts.tolist() == starts
    assert found.steps == (window or length)
    assert (found.mixed, found.unused) == (0, unused)


LABELS = list("aaaabbbb")


def test_windows_whose_label_changes_are_left_out() -> None:
    found = cut_windows(8, [LABELS], "classification", 3, 1)
    assert found.starts.tolist() == [0, 1, 4, 5]
    assert found.mixed == 2


def test_a_label_that_comes_back_has_changed() -> None:
    assert cut_windows(3, [list("aba")], "classification", None, None).mixed == 1


def test_any_of_several_labels_counts() -> None:
    found = cut_windows(8, [["0"] * 8, list("00111111")], "multi-label", 4, 2)
    assert found.starts.tolist() == [2, 4]


@pytest.mark.parametrize("task", ["per-step", "regression"])
def test_labels_of_steps_and_values_may_change(task: str) -> None:
    found = cut_windows(8, [LABELS], task, 3, 1)
    assert found.starts.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.mixed == 0
