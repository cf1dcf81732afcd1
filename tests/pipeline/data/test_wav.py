from pathlib import Path

import numpy as np
import pytest
from sounds import tone, write_wav

from models.errors import InputError
from pipeline.data.wav import look_at, read_wav


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_samples_come_as_they_are_stored(tmp_path: Path, kind: type) -> None:
    samples = (np.arange(50) * 2).astype(kind)
    found, rate = read_wav(write_wav(tmp_path / "a.wav", samples, 11025))
    assert rate == 11025
    assert found.dtype == samples.dtype
    np.testing.assert_array_equal(found, samples)


def test_24_bits_are_the_upper_ones_of_32(tmp_path: Path) -> None:
    """A file written by hand: samples 1 and -1, three bytes each, little endian."""
    header = b"RIFF" + (42).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\1\0\1\0" + (8000).to_bytes(4, "little") + (24000).to_bytes(4, "little") + b"\3\0\x18\0"
    path = tmp_path / "a.wav"
    path.write_bytes(header + b"data" + (6).to_bytes(4, "little") + b"\1\0\0\xff\xff\xff")
    found, _ = read_wav(path)
    assert found.tolist() == [256, -256]


def test_stereo_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.zeros((50, 2), np.int16))
    with pytest.raises(InputError, match=r"a\.wav' has 2 channels; needed is 1") as caught:
        read_wav(path)
    assert "Mix them down" in caught.value.tip


def test_every_truncation_is_told(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "a.wav", tone(440, 50)).read_bytes()
    path = tmp_path / "cut.wav"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.wav' (is damaged or no WAV file|is cut off|holds no)"):
            read_wav(path)


def test_any_single_changed_byte_of_the_header_is_told_or_read(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "a.wav", tone(440, 50)).read_bytes()
    path = tmp_path / "changed.wav"
    for position in range(44):
        for value in (0, 1, 127, 255):
            path.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
            try:
                found, _ = read_wav(path)
            except InputError:
                continue
            assert found.ndim == 1


@pytest.mark.parametrize("content", [b"", b"RIFF", b"hello" * 100, bytes(100)])
def test_what_is_no_wav_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.wav'"):
        read_wav(path)


def test_no_samples_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no samples"):
        read_wav(write_wav(tmp_path / "a.wav", np.zeros(0, np.int16)))
    with pytest.raises(InputError, match="No such file"):
        read_wav(tmp_path / "b.wav")


def test_a_look(tmp_path: Path) -> None:
    sound = look_at(write_wav(tmp_path / "a.wav", np.array([0, -16384, 8192], np.int16)))
    assert (sound.samples, sound.sample_rate_hz, sound.peak, sound.clipped) == (3, 8000, 0.5, False)


@pytest.mark.parametrize(
    ("samples", "clipped"),
    [
        ([0, 32767, 32767, 32767, 0], True),
        ([0, 32767, 32767, 0, 32767], False),  # two in a row can be chance
        ([0, -32768, 32767, -32768], True),
        ([32700] * 5, False),  # 0.998 of full scale
        ([32767], False),
        ([32767, 32767], False),
    ],
)
def test_clipping_is_three_samples_in_a_row_at_full_scale(
    tmp_path: Path, samples: list[int], clipped: bool
) -> None:
    assert look_at(write_wav(tmp_path / "a.wav", np.array(samples, np.int16))).clipped is clipped


def test_a_value_that_is_not_finite_is_told_with_its_place(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.array([0.0, np.nan], np.float32))
    with pytest.raises(InputError, match=r"a\.wav': .* sample 1 is not finite"):
        look_at(path)
