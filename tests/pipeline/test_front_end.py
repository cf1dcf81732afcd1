import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.front_end import FrontEnd, FrontEndError, _mel_matrix, as_signal

RULE = FrontEnd("log-mel", 8000, 200, 80, 256, 24, 20.0, 4000.0, 1e-6)
EPS = float(np.finfo(np.float32).eps)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, samples)


class TestByHand:
    """4 samples a frame at 8 Hz: bins at 0, 2 and 4 Hz; one filter."""

    RULE = FrontEnd("log-mel", 8, 4, 2, 4, 1, 0.0, 4.0, 1e-6)

    def test_a_frame(self) -> None:
        """hann = 0, 0.5, 1, 0.5, so [1, 1, 1, 1] becomes that, and X = 2, -1, 0."""
        centre = 1127 * math.log1p(4 / 700) / 2
        mel_2hz = 1127 * math.log1p(2 / 700)
        weight = (2 * centre - mel_2hz) / centre  # 2 Hz lies behind the top, by a hair
        assert 0.99 < weight < 1
        made = self.RULE(np.ones(4))
        assert made.shape == (1, 1)
        assert made[0, 0] == np.float32(math.log(weight * 1.0))

    def test_silence_has_the_floor(self) -> None:
        assert self.RULE(np.zeros(4))[0, 0] == np.float32(math.log(1e-6))

    @pytest.mark.parametrize(("samples", "frames"), [(3, 0), (4, 1), (5, 1), (6, 2), (7, 2), (8, 3)])
    def test_frames_start_every_hop_and_are_whole(self, samples: int, frames: int) -> None:
        assert self.RULE.frames(samples) == frames
        if frames:
            assert len(self.RULE(np.ones(samples))) == frames
            assert self.RULE.samples(frames) in (samples, samples - 1)

    def test_mfcc(self) -> None:
        """Of two log energies a, b the coefficients are a + b and (a - b) / sqrt 2."""
        rule = FrontEnd("mfcc", 16, 8, 8, 8, 2, 0.0, 8.0, 1e-6, 2)
        a, b = replace(rule, kind="log-mel", coefficients=0)(noise(8))[0].astype(np.float64)
        np.testing.assert_allclose(rule(noise(8))[0], [a + b, (a - b) / math.sqrt(2)], rtol=4 * EPS)


def test_triangles_are_one_at_their_top_and_meet_at_half_height() -> None:
    matrix = _mel_matrix(FrontEnd("log-mel", 8000, 4000, 80, 4096, 10, 0.0, 4000.0, 1e-6))
    assert matrix.shape == (2049, 10)
    # A bin is at most 1.95 Hz * 1127 / 700 = 3.2 mel wide, a filter's slope 195 mel long.
    np.testing.assert_allclose(matrix.max(axis=0), 1.0, atol=3.2 / 195)
    inner = matrix[(matrix[:, 0].argmax()) : matrix[:, -1].argmax()]
    np.testing.assert_allclose(inner.sum(axis=1), 1.0, atol=1e-12)  # where one falls the next rises
    assert not matrix[0].any()


@pytest.mark.parametrize("kind", ["log-mel", "mfcc"])
@pytest.mark.parametrize(
    ("rate", "window", "hop", "n_fft", "mels", "low", "high"),
    [
        (8000, 256, 160, 256, 32, 20.0, 4000.0),
        (16000, 400, 160, 512, 40, 60.0, 7600.0),
        (8000, 202, 77, 300, 20, 0.0, 3999.0),
    ],
)  # fmt: skip
def test_equal_to_tf_signal(
    kind: str, rate: int, window: int, hop: int, n_fft: int, mels: int, low: float, high: float
) -> None:
    """Both in float64; they differ by its rounding, far below the float32 that ours ends in.

    Frames of an even length: of an odd one tf.signal's "periodic" window is the symmetric one.
    """
    import tensorflow as tf

    coefficients = 13 if kind == "mfcc" else 0
    rule = FrontEnd(kind, rate, window, hop, n_fft, mels, low, high, 1e-6, coefficients)
    samples = np.concatenate([noise(rate // 4), np.zeros(rate // 10), noise(rate // 4) * 1e-3])
    spectrum = tf.signal.stft(tf.constant(samples), window, hop, n_fft, window_fn=tf.signal.hann_window)
    matrix = tf.signal.linear_to_mel_weight_matrix(mels, n_fft // 2 + 1, rate, low, high, tf.float64)
    theirs = tf.math.log(tf.maximum(tf.abs(spectrum) ** 2 @ matrix, 1e-6))
    if kind == "mfcc":
        theirs = tf.signal.mfccs_from_log_mel_spectrograms(theirs)[:, :coefficients]
    ours = rule(samples)
    assert ours.dtype == np.float32
    assert ours.shape == (rule.frames(len(samples)), rule.features)
    # Half a float32 step of the value; and of MFCC, which are sums that cancel, float64's rounding.
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=EPS / 2, atol=1e-10)


def test_long_recordings_are_taken_in_pieces() -> None:
    """More than 1024 frames; each is what it is alone but for the order of a sum."""
    rule = FrontEnd("log-mel", 8000, 16, 4, 16, 3, 0.0, 4000.0, 1e-6)
    samples = noise(4 * 2100 + 16)
    made = rule(samples)
    assert len(made) == 2101
    for frame in (0, 1023, 1024, 2047, 2048, 2100):
        alone = rule(samples[4 * frame : 4 * frame + 16])[0]
        np.testing.assert_allclose(made[frame], alone, rtol=2 * EPS, atol=EPS)


@pytest.mark.parametrize(
    ("samples", "signal"),
    [
        (np.array([-32768, 0, 16384], np.int16), [-1.0, 0.0, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1.0, 0.0, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1.0, 0.5]),
        (np.array([0.25, -1.0], np.float32), [0.25, -1.0]),
    ],
)
def test_full_scale_is_one(samples: np.ndarray, signal: list[float]) -> None:
    found = as_signal(samples)
    assert found.dtype == np.float64
    assert found.tolist() == signal


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.zeros((300, 2)), r"got shape \[300, 2\]"),
        (np.zeros(300, bool), "got bool"),
        (np.zeros(300, np.uint16), "got uint16"),
        (np.array([0.0] * 250 + [np.nan] * 50), "sample 250 is not finite"),
        (np.array([np.inf] * 300), "sample 0 is not finite"),
        (np.zeros(199), "199 samples are less than a frame, 200"),
    ],
)
def test_samples_that_do_not_fit(samples: np.ndarray, why: str) -> None:
    with pytest.raises(FrontEndError, match=why):
        RULE(samples)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "plp"}, "kind is 'plp'; known are log-mel, mfcc"),
        ({"sample_rate_hz": 8000.0}, "sample_rate_hz is 8000.0; allowed is a whole number"),
        ({"hop_samples": 0}, "hop_samples is 0"),
        ({"hop_samples": True}, "hop_samples is True"),
        ({"n_fft": 128}, "a frame has 200 samples, n_fft is 128"),
        ({"n_fft": 10**9}, "n_fft is 1000000000"),
        ({"mels": 0}, "mels is 0"),
        ({"mels": 120}, "mel filters are narrower than a bin of the transform, 31.25 Hz"),
        ({"fmin_hz": 4000.0}, "have to be in order"),
        ({"fmax_hz": 4001.0}, "at most 4000, half the sample rate"),
        ({"fmax_hz": math.nan}, "fmax_hz is nan"),
        ({"fmin_hz": "20"}, "fmin_hz is '20'"),
        ({"log_floor": 0.0}, "log_floor is 0"),
        ({"coefficients": 13}, "coefficients are for the kind 'mfcc'"),
        ({"kind": "mfcc"}, "coefficients is 0; allowed is 1 to 24"),
        ({"kind": "mfcc", "coefficients": 25}, "coefficients is 25; allowed is 1 to 24"),
        ({"keep": "middle"}, "keep is 'middle'"),
    ],
)
def test_parameters_that_do_not_go_together(change: dict[str, Any], why: str) -> None:
    with pytest.raises(FrontEndError, match=why):
        replace(RULE, **change)
    with pytest.raises(FrontEndError, match=why):
        FrontEnd.from_dict({**RULE.to_dict(), **change})


def test_there_and_back() -> None:
    assert FrontEnd.from_dict(RULE.to_dict()) == RULE
    with pytest.raises(FrontEndError, match="mels is missing"):
        FrontEnd.from_dict({k: v for k, v in RULE.to_dict().items() if k != "mels"})
    with pytest.raises(FrontEndError, match="dither is not known"):
        FrontEnd.from_dict({**RULE.to_dict(), "dither": 1.0})
    with pytest.raises(FrontEndError, match="an object"):
        FrontEnd.from_dict([])  # type: ignore[arg-type]


def test_what_is_too_long_is_cut_by_the_rule() -> None:
    samples = np.arange(1000)
    assert RULE.cut(samples, 3).tolist() == list(range(360))  # 200 + 2 * 80
    end = replace(RULE, keep="end")
    assert end.cut(samples, 3).tolist() == list(range(640, 1000))
    assert len(RULE.cut(samples[:100], 3)) == len(end.cut(samples[:100], 3)) == 100


def test_names() -> None:
    assert RULE.names[:2] == ("mel 0", "mel 1")
    assert replace(RULE, kind="mfcc", coefficients=2).names == ("mfcc 0", "mfcc 1")
