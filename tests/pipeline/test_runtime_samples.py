"""A model for audio starts from samples; files made by hand, in a moment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alone import run_alone
from hand_made import hand_made, metadata
from sounds import tone

from pipeline import front_end, runtime
from pipeline.front_end import FrontEnd
from pipeline.runtime import ModelFileError, SequenceClassifier, WindowError

RULE = FrontEnd("log-mel", 8000, 256, 128, 256, 3, 20.0, 4000.0, 1e-6, keep="end")  # the model: 5 steps of 3


def audio_model(**changes: Any) -> bytes:
    return hand_made(described={**metadata(), "front_end": {**RULE.to_dict(), **changes}})


def test_the_answer_is_that_of_the_features() -> None:
    classifier = SequenceClassifier(audio_model())
    samples = tone(700, RULE.samples(5))
    found, wanted = classifier.predict_samples(samples, 8000), classifier.predict(RULE(samples))
    np.testing.assert_array_equal(found.logits, wanted.logits)
    np.testing.assert_array_equal(found.attention_weights, wanted.attention_weights)
    assert classifier.features_of(samples, 8000).shape == (5, 3)


def test_what_is_longer_than_the_model_takes_is_cut_as_in_training() -> None:
    classifier = SequenceClassifier(audio_model())
    samples = tone(700, 3000)
    np.testing.assert_array_equal(classifier.features_of(samples, 8000), RULE(samples[-RULE.samples(5) :]))


@pytest.mark.parametrize(
    ("samples", "rate", "why"),
    [
        (tone(700, 2000), 16000, "have 16000 Hz; the model takes 8000 Hz"),
        (np.zeros((2000, 2)), 8000, "samples are one channel"),
        (np.zeros(255), 8000, "less than a frame"),
        (np.full(2000, np.nan), 8000, "sample 0 is not finite"),
        ([1, "a"], 8000, "floats or signed integers"),
    ],
)
def test_samples_that_do_not_fit(samples: Any, rate: int, why: str) -> None:
    with pytest.raises(WindowError, match=why):
        SequenceClassifier(audio_model()).predict_samples(samples, rate)


def test_another_model_says_that_it_takes_windows() -> None:
    with pytest.raises(ModelFileError, match="says nothing of an audio front end"):
        SequenceClassifier(hand_made(described=metadata())).predict_samples(np.zeros(2000), 8000)


@pytest.mark.parametrize(
    ("described", "why"),
    [
        ({**RULE.to_dict(), "mels": 4}, "takes 3 features a step; its front end makes 4"),
        ({**RULE.to_dict(), "hop_samples": 0}, "hop_samples is 0"),
        ({**RULE.to_dict(), "kind": ["log-mel"]}, "kind is"),
        ({}, "is missing"),
        (None, "has to be an object"),
        ([1], "has to be an object"),
    ],
)
def test_a_front_end_that_cannot_be_relied_on_is_refused_when_it_is_read(described: Any, why: str) -> None:
    with pytest.raises(ModelFileError, match=why):
        SequenceClassifier(hand_made(described={**metadata(), "front_end": described}))


@pytest.mark.parametrize("beside", [True, False])
def test_two_files_alone_on_a_device(tmp_path: Path, beside: bool) -> None:
    shutil.copy(runtime.__file__, tmp_path / "runtime.py")
    if beside:
        shutil.copy(front_end.__file__, tmp_path / "front_end.py")
    (tmp_path / "model.tflite").write_bytes(audio_model())
    np.save(tmp_path / "samples.npy", tone(700, 2000))
    code = (
        "import json, sys, numpy, runtime\n"
        "model = runtime.SequenceClassifier('model.tflite')\n"
        "try:\n"
        "    said = model.predict_samples(numpy.load('samples.npy'), 8000).logits.tolist()\n"
        "except runtime.ModelFileError as error:\n"
        "    said = str(error)\n"
        "ours = {'pipeline', 'models', 'converters', 'tensorflow', 'scipy'}\n"
        "print(json.dumps([said, sorted(ours & {name.split('.')[0] for name in sys.modules})]))"
    )
    said, seen = run_alone(code, tmp_path)
    wanted = SequenceClassifier(audio_model()).predict_samples(tone(700, 2000), 8000).logits.tolist()
    assert said == (wanted if beside else "To start from samples, front_end.py has to be beside runtime.py.")
    assert seen == []
