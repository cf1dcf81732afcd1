"""Which sensor of a phone a model's channel is, as far as its name, its unit and its windows say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError

GRAVITY = 9.80665
"""Standard gravity, m/s^2: what one g is."""

LARGEST_RATE_HZ = 200.0
"""From 200 Hz on Android asks for the permission HIGH_SAMPLING_RATE_SENSORS; the app asks for none."""

ACCELEROMETER, LINEAR, FIELD, GYROSCOPE = "accelerometer", "linear_acceleration", "gravity", "gyroscope"

# What a channel is called before its axis, words only: "body_acc_x" is "body acc" x.
_NAMES = {
    ACCELEROMETER: ("accelerometer", "acceleration", "accel", "acc", "total acc", "total acceleration"),
    LINEAR: ("linear acceleration", "linear accel", "linear acc", "body acceleration", "body acc",
             "user acceleration"),
    FIELD: ("gravity",),
    GYROSCOPE: ("gyroscope", "gyro", "body gyro", "angular velocity", "rotation rate"),
}  # fmt: skip
_SENSORS = {name: sensor for sensor, names in _NAMES.items() for name in names}

# How many of a unit are one of Android's, m/s^2 and rad/s.
_ACCELERATION = {"m/s^2": 1.0, "m/s2": 1.0, "m/s²": 1.0, "g": 1.0 / GRAVITY}
_TURNING = {"rad/s": 1.0, "deg/s": 180.0 / np.pi, "°/s": 180.0 / np.pi, "dps": 180.0 / np.pi}
_UNITS = {ACCELEROMETER: _ACCELERATION, LINEAR: _ACCELERATION, FIELD: _ACCELERATION, GYROSCOPE: _TURNING}


@dataclass(frozen=True)
class Source:
    """Where one channel's values come from.

    Attributes:
        sensor: "accelerometer", "linear_acceleration", "gravity" or "gyroscope", Android's of that name.
        axis: 0, 1, 2 for x, y, z.
        factor: value in the channel's unit = factor * value in Android's unit (m/s^2, rad/s).
        assumed: the metadata names no unit, so Android's is taken.
    """

    sensor: str
    axis: int
    factor: float
    assumed: bool


def sources(metadata: Mapping[str, Any], windows: NDArray[np.float32]) -> list[Source]:
    """The sensor of each channel, in the order of the channels.

    A channel called "accelerometer" may mean the sensor, whose values hold gravity, or what is left of them
    without it; the windows tell. A sensor that holds gravity shows 9.8 m/s^2 at rest, and over some
    seconds cannot average less than half of that. Where one of the windows does, there is no gravity in
    them, and Android's sensor without it is taken.

    Args:
        metadata: of the model: channel_names, channel_units.
        windows: [n, time, channels], raw.

    Raises:
        InputError: a channel that is none of a phone's sensors, two that would be the same one, or a unit
            that is not known.
    """
    named = [_named(name) for name in metadata["channel_names"]]
    unknown = [name for name, found in zip(metadata["channel_names"], named, strict=True) if found is None]
    if unknown:
        raise InputError(
            f"Channels the app cannot measure: {', '.join(map(repr, unknown))}. It knows "
            f"{', '.join(names[0] for names in _NAMES.values())}, each with an axis x, y or z.",
            "Name the channels so in the data (channel_names), or choose a build of motion data.",
        )
    found = [
        _with_unit(*sensor, name, unit)
        for sensor, name, unit in zip(
            (one for one in named if one is not None),
            metadata["channel_names"],
            metadata["channel_units"],
            strict=True,
        )
    ]
    if least_acceleration(found, windows) < GRAVITY / 2:
        found = _without_gravity(found)
    _require_different(found, metadata["channel_names"])
    return found


def least_acceleration(found: Sequence[Source], windows: NDArray[np.float32]) -> float:
    """The mean magnitude, in m/s^2, of the accelerometer in the quietest window.

    Infinite where the accelerometer's three axes are not all there: then nothing can be said.
    """
    axes = {one.axis: channel for channel, one in enumerate(found) if one.sensor == ACCELEROMETER}
    if len(axes) < 3 or not len(windows):
        return float("inf")
    factors = [found[channel].factor for channel in axes.values()]
    magnitude = np.linalg.norm(windows[..., list(axes.values())] / factors, axis=-1)  # [n, time]
    return float(magnitude.mean(axis=1).min())


def _named(name: str) -> tuple[str, int] | None:
    # Whatever else is in a name, a number perhaps, tells sensors apart that a phone has one of.
    *words, axis = re.split(r"[ _.-]+", name.strip().lower())
    sensor = _SENSORS.get(" ".join(words))
    return None if sensor is None or axis not in ("x", "y", "z") else (sensor, "xyz".index(axis))


def _with_unit(sensor: str, axis: int, name: str, unit: str) -> Source:
    known = _UNITS[sensor]
    if unit.strip() and unit.strip() not in known:
        raise InputError(
            f"Channel '{name}' is in '{unit}'; the app converts to {', '.join(known)}.",
            "Name the unit so in the data (channel_units).",
        )
    return Source(sensor, axis, known.get(unit.strip(), 1.0), not unit.strip())


def _require_different(found: Sequence[Source], names: Sequence[str]) -> None:
    first: dict[tuple[str, int], int] = {}
    for channel, one in enumerate(found):
        if (other := first.setdefault((one.sensor, one.axis), channel)) != channel:
            raise InputError(
                f"Channels {names[other]!r} and {names[channel]!r} are both {one.sensor.replace('_', ' ')} "
                f"{'xyz'[one.axis]} of a phone, which has one.",
                "The app feeds models whose channels are different sensors or axes.",
            )


def _without_gravity(found: Sequence[Source]) -> list[Source]:
    return [
        Source(LINEAR if one.sensor == ACCELEROMETER else one.sensor, one.axis, one.factor, one.assumed)
        for one in found
    ]
