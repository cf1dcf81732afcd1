from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_data import REASON, SHARED
from sounds import tone, write_tones, write_wav

from models.errors import InputError
from pipeline.config import AudioConfig, DataConfig
from pipeline.data.options import ReadOptions
from pipeline.data.registry import load_dataset
from pipeline.data.wav_folder import front_end_of, read
from pipeline.front_end import FrontEnd

FSDD = SHARED / "fsdd"
PATTERN = "{label}_{who}_{take}.wav"


def options(audio: dict[str, Any] | None = None, **data: Any) -> ReadOptions:
    return ReadOptions(
        data=DataConfig.model_validate({"pattern": PATTERN, "test": "take < 2", **data}),
        audio=AudioConfig.model_validate(audio or {}),
    )


def test_windows_are_the_features_of_the_recordings(tmp_path: Path) -> None:
    data = load_dataset(str(write_tones(tmp_path / "tones")), options=options())
    assert data.name == "tones"
    assert data.class_names == ("high", "low")
    assert (len(data.x_train), len(data.x_test)) == (32, 8)
    assert data.x_train.dtype == np.float32
    # 2100 samples in frames of 256, one each 128
    assert data.x_train.shape[1:] == (1 + (2100 - 256) // 128, 32)
    assert data.sample_rate_hz == 62.5
    assert data.padding == "front"
    assert data.front_end is not None
    front_end = FrontEnd.from_dict(data.front_end)
    first = front_end(tone(2000, 1200))  # high_anna_0, the first of the test part
    assert data.lengths_test[0] == len(first) == 8
    np.testing.assert_array_equal(data.x_test[0, -8:], first)
    assert np.isnan(data.x_test[0, :-8]).all()
    assert data.y_test.tolist() == [0] * 4 + [1] * 4
    assert data.channel_names[:2] == ("mel 0", "mel 1")
    assert data.notes == ("The test part is chosen by the rule 'take < 2'.",)
    assert data.suspicious == ()


@pytest.mark.parametrize("keep", ["start", "end"])
def test_what_is_too_long_is_cut_and_told(tmp_path: Path, keep: str) -> None:
    data = read(write_tones(tmp_path), options(longest=10, keep=keep))
    assert data.x_train.shape[1] == 10
    assert max(data.lengths_train) == 10
    (_, note) = data.notes
    # Take t has 1 + (944 + 100 t) // 128 frames: more than 10 from t = 4 on, of two classes and people.
    assert note.startswith("24 of 40 recordings are longer than 10 ")
    assert note.endswith(f"steps (0.18 s), the longest has 15; their {keep} was kept.")
    front_end = FrontEnd.from_dict(data.front_end or {})
    whole = tone(2000 + 40 * 9, 2100)  # high_anna_9 is 15 frames long
    wanted = whole[: 256 + 9 * 128] if keep == "start" else whole[-(256 + 9 * 128) :]
    np.testing.assert_array_equal(data.x_train[7], front_end(wanted))


def test_the_lists_of_the_data_decide(tmp_path: Path) -> None:
    write_tones(tmp_path, 4, "{label}/{who}_{take}.wav")
    (tmp_path / "testing_list.txt").write_text("low/bob_0.wav\nhigh/bob_0.wav\n")
    (tmp_path / "validation_list.txt").write_text("low/anna_0.wav\nhigh/anna_0.wav\n")
    data = load_dataset(str(tmp_path))
    assert len(data.x_test) == 2
    assert data.validation is not None
    assert data.validation.sum() == 2


def test_numbers_as_labels_are_in_their_order(tmp_path: Path) -> None:
    for label in ("10", "9", "1"):
        for take in range(3):
            write_wav(tmp_path / f"{label}_x_{take}.wav", tone(440, 1000))
    assert read(tmp_path, options(test="take == 0")).class_names == ("1", "9", "10")


def test_groups_come_along(tmp_path: Path) -> None:
    data = read(write_tones(tmp_path), options(group="who"))
    assert data.groups_train is not None
    assert sorted(set(data.groups_train.tolist())) == ["anna", "bob"]
    assert read(tmp_path, options()).groups_train is None


def test_equally_long_recordings_are_not_padded(tmp_path: Path) -> None:
    data = read(write_tones(tmp_path), options(longest=5))
    assert data.padding == "none"


class TestWhatCannotBeUsed:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return write_tones(tmp_path, 4)

    def refused(self, folder: Path, why: str, **changes: Any) -> InputError:
        with pytest.raises(InputError, match=why) as caught:
            read(folder, options(**changes))
        return caught.value

    def test_stereo(self, folder: Path) -> None:
        write_wav(folder / "low_anna_1.wav", np.zeros((2000, 2), np.int16))
        self.refused(folder, r"low_anna_1\.wav' has 2 channels")

    def test_all_damaged_files_are_told_at_once(self, folder: Path) -> None:
        for take in range(3):
            (folder / f"low_anna_{take}.wav").write_bytes(b"RIFF")
        error = self.refused(folder, "low_anna_0.wav' is damaged")
        assert "low_anna_2.wav' is damaged" in error.message
        assert error.message.endswith("3 of 16 files cannot be used.")

    def test_several_rates(self, folder: Path) -> None:
        write_wav(folder / "low_anna_1.wav", tone(300, 2000), 16000)
        self.refused(folder, r"8000 Hz \('high_anna_0.wav'\), 16000 Hz \('low_anna_1.wav'\)")

    def test_less_than_a_frame(self, folder: Path) -> None:
        write_wav(folder / "low_anna_1.wav", tone(300, 255))
        self.refused(folder, r"1 of 16 recordings are shorter than a frame of 256 .* with 255")

    def test_one_frame_is_no_sequence(self, folder: Path) -> None:
        self.refused(folder, "has one frame of 120 ms", audio={"window_ms": 120.0, "hop_ms": 120.0})

    def test_a_class_that_is_only_tested(self, folder: Path) -> None:
        write_wav(folder / "middle_anna_0.wav", tone(1000, 2000))
        self.refused(folder, "y_test holds the label 'middle'")

    def test_filters_above_half_the_rate(self, folder: Path) -> None:
        error = self.refused(folder, r"at most 4000, half .* 8000 Hz", audio={"fmax_hz": 8000.0})
        assert "[audio]" in error.tip

    def test_coefficients_of_log_mel(self, folder: Path) -> None:
        self.refused(folder, "coefficients is 13; log-mel features have none", audio={"coefficients": 13})


def test_what_may_be_a_mistake_is_told(tmp_path: Path) -> None:
    write_tones(tmp_path)
    write_wav(tmp_path / "low_anna_3.wav", np.zeros(2000, np.int16))
    loud = np.clip(1.4 * np.sin(np.arange(2000) / 4), -1, 1)
    write_wav(tmp_path / "low_anna_4.wav", np.round(32767 * loud).astype(np.int16))
    clipped, silent = read(tmp_path, options()).suspicious
    assert clipped.startswith("1 of 40 recordings reach full scale")
    assert clipped.endswith("'low_anna_4.wav'.")
    assert silent.startswith("1 of 40 recordings are silent")
    assert silent.endswith("'low_anna_3.wav'.")


def test_milliseconds_become_samples() -> None:
    rule = front_end_of(AudioConfig(window_ms=25.0, hop_ms=10.0), 22050, "start")
    assert (rule.window_samples, rule.hop_samples, rule.n_fft) == (551, 220, 1024)  # 551.25, 220.5 to even
    assert rule.fmax_hz == 11025
    mfcc = front_end_of(AudioConfig(features="mfcc", mels=10), 8000, "end")
    assert (mfcc.coefficients, mfcc.keep) == (10, "end")  # 13, or as many as there are filters


@pytest.mark.skipif(not FSDD.is_dir(), reason=REASON)
def test_spoken_digits() -> None:
    data = read(
        FSDD,
        ReadOptions(data=DataConfig(pattern="{label}_{speaker}_{index}.wav", test="index < 5", longest=48)),
    )
    assert (len(data.x_train), len(data.x_test)) == (1800, 200)
    assert data.class_names == tuple("0123456789")
    assert np.bincount(data.y_test).tolist() == [20] * 10
