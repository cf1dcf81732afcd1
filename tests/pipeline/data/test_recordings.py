from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.config import DataConfig
from pipeline.data.options import ReadOptions
from pipeline.data.recordings import find_recordings, groups_of, part_recordings


def touch(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"")
    return folder


def options(**data: object) -> ReadOptions:
    return ReadOptions(data=DataConfig.model_validate(data))


class TestFinding:
    def test_a_folder_a_class(self, tmp_path: Path) -> None:
        found = find_recordings(
            touch(tmp_path, "yes/b.wav", "no/a.WAV", "_background_noise_/x.wav", ".git/y.wav", "README.md"),
            ".wav",
            None,
        )
        assert found.paths == ("no/a.WAV", "yes/b.wav")
        assert found.labels.tolist() == ["no", "yes"]
        (note,) = found.notes
        assert note == (
            "1 file in folders that begin with '_' were left out: _background_noise_/x.wav."
        )

    def test_a_pattern(self, tmp_path: Path) -> None:
        folder = touch(tmp_path, "7_bob_1.wav", "3_bob_2.wav")
        found = find_recordings(folder, ".wav", "{label}_{who}_{n}.wav")
        assert found.labels.tolist() == ["3", "7"]
        assert found.fields[1] == {"label": "7", "who": "bob", "n": "1"}

    @pytest.mark.parametrize(
        ("paths", "pattern", "why"),
        [
            (["a.wav", "x/b.wav"], None, "1 file of 2 in .* do not lie in a folder of their class: a.wav"),
            (["x/y/b.wav"], None, "do not lie in a folder of their class: x/y/b.wav"),
            (["_x/b.wav"], None, "holds no .wav file"),
            (["7_bob.wav", "7_1.wav"], "{label}_b{n}.wav", "1 file of 2 in .* do not fit the pattern"),
            (["7.wav"], "{n}.wav", r"has the fields n; it needs \{label\}"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, tmp_path: Path, paths: list[str], pattern: str | None, why: str
    ) -> None:
        with pytest.raises(InputError, match=why):
            find_recordings(touch(tmp_path, *paths), ".wav", pattern)


class TestParts:
    @pytest.fixture
    def speech(self, tmp_path: Path) -> Path:
        """As Speech Commands is laid out."""
        touch(tmp_path, *(f"{word}/{who}.wav" for word in ("no", "yes") for who in "abcdef"))
        (tmp_path / "testing_list.txt").write_text("no/a.wav\nyes/a.wav\n")
        (tmp_path / "validation_list.txt").write_text("yes/b.wav\r\nno/b.wav\n\n")
        return tmp_path

    def test_by_the_lists(self, speech: Path) -> None:
        found = find_recordings(speech, ".wav", None)
        parts = part_recordings(found, options())
        assert [p for p, t in zip(found.paths, parts.test, strict=True) if t] == ["no/a.wav", "yes/a.wav"]
        assert parts.validation is not None
        chosen = [path for path, one in zip(found.paths, parts.validation, strict=True) if one]
        assert chosen == ["no/b.wav", "yes/b.wav"]
        assert parts.notes == ("The test part is chosen by testing_list.txt.",)

    def test_what_a_list_names_in_vain_is_told(self, speech: Path) -> None:
        (speech / "testing_list.txt").write_text("no/a.wav\nno/gone.wav\n")
        parts = part_recordings(find_recordings(speech, ".wav", None), options())
        assert parts.notes[1] == "1 file of testing_list.txt are not there: no/gone.wav."

    def test_a_list_that_names_none_is_refused(self, speech: Path) -> None:
        (speech / "testing_list.txt").write_text("a.wav\n")
        with pytest.raises(InputError, match=r"names none of the 12 recordings; it has 1 lines: a\.wav"):
            part_recordings(find_recordings(speech, ".wav", None), options())

    def test_no_recording_is_in_both_lists(self, speech: Path) -> None:
        (speech / "validation_list.txt").write_text("yes/a.wav\n")
        with pytest.raises(InputError, match=r"'yes/a\.wav' is in testing_list\.txt and in"):
            part_recordings(find_recordings(speech, ".wav", None), options())

    def test_a_list_that_is_no_text(self, speech: Path) -> None:
        (speech / "testing_list.txt").write_bytes(b"\xff\xfe\xfa")
        with pytest.raises(InputError, match="no text in UTF-8"):
            part_recordings(find_recordings(speech, ".wav", None), options())

    def test_a_rule_wins_over_the_lists(self, speech: Path) -> None:
        found = find_recordings(speech, ".wav", "{label}/{who}.wav")
        parts = part_recordings(found, options(test='who in ("c", "d")'))
        assert parts.test.sum() == 4
        assert parts.validation is None

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            ("index < 5", "asks for index; known are label, who"),
            ("who < 5", "'no/a.wav': The rule 'who < 5' compares who with a number; here it is 'a'"),
            ('who == "z"', "no recording is in the test part"),
            ('who != "z"', "no recording is in the training part"),
        ],
    )
    def test_a_rule_that_cannot_be_used(self, speech: Path, rule: str, why: str) -> None:
        found = find_recordings(speech, ".wav", "{label}/{who}.wav")
        with pytest.raises(InputError, match=why):
            part_recordings(found, options(test=rule))

    def test_by_chance_nobody_is_on_both_sides(self, tmp_path: Path) -> None:
        touch(tmp_path, *(f"{word}_{who}.wav" for word in ("no", "yes") for who in "abcdefghij"))
        found = find_recordings(tmp_path, ".wav", "{label}_{who}.wav")
        parts = part_recordings(found, options(group="who", test_fraction=0.3))
        who = groups_of(found, options(group="who"))
        assert parts.test.sum() == 6
        assert not set(who[parts.test]) & set(who[~parts.test])
        assert parts.notes == ("The test part is chosen by chance, 0.3 of each class, no who in both parts.",)

    def test_without_a_group_each_recording_is_its_own(self, tmp_path: Path) -> None:
        touch(tmp_path, *(f"{word}/{n}.wav" for word in ("no", "yes") for n in range(10)))
        found = find_recordings(tmp_path, ".wav", None)
        assert part_recordings(found, options()).test.sum() == 4
        assert len(np.unique(groups_of(found, options()))) == 20

    def test_a_group_that_the_names_do_not_have(self, tmp_path: Path) -> None:
        found = find_recordings(touch(tmp_path, "no/a.wav"), ".wav", None)
        with pytest.raises(InputError, match="group is 'who'; what is known of a recording is label, file"):
            groups_of(found, options(group="who"))
