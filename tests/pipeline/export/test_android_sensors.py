"""Which sensor a channel is: by its name, its unit, and whether its windows hold gravity."""

import numpy as np
import pytest

from models.errors import InputError
from pipeline.export.android_sensors import GRAVITY, Source, least_acceleration, sources


def metadata(names: list[str], unit: str) -> dict[str, list[str]]:
    return {"channel_names": names, "channel_units": [unit] * len(names)}


def still(count: int, z: float) -> np.ndarray:
    """[count, 4, 3]: lies still, all of the acceleration along z."""
    return np.tile(np.float32([0.0, 0.0, z]), (count, 4, 1))


@pytest.mark.parametrize(
    ("name", "sensor", "axis"),
    [
        ("accelerometer x", "accelerometer", 0),
        ("total_acc_y", "accelerometer", 1),
        ("body_acc_z", "linear_acceleration", 2),
        ("Linear Acceleration Z", "linear_acceleration", 2),
        ("gravity.x", "gravity", 0),
        ("Gyro-Y", "gyroscope", 1),
        ("body_gyro_z", "gyroscope", 2),
    ],
)
def test_names_people_give(name: str, sensor: str, axis: int) -> None:
    (found,) = sources(metadata([name], ""), np.zeros((1, 4, 1), np.float32))
    assert (found.sensor, found.axis, found.factor, found.assumed) == (sensor, axis, 1.0, True)


@pytest.mark.parametrize(
    "name", ["heart rate", "accelerometer", "accelerometer w", "x", "12", "", "acc1 x", "acc x 2"]
)
def test_what_is_no_sensor_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match="cannot measure") as error:
        sources(metadata(["gyro x", name], ""), np.zeros((1, 4, 2), np.float32))
    assert repr(name) in error.value.message
    assert "'gyro x'" not in error.value.message


@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [
        ("acc x", "m/s^2", 1.0),
        ("acc x", "g", 1 / 9.80665),
        ("gyro x", "rad/s", 1.0),
        ("gyro x", "deg/s", 57.29578),
    ],
)
def test_units_are_converted(name: str, unit: str, factor: float) -> None:
    (found,) = sources(metadata([name], unit), np.zeros((1, 4, 1), np.float32))
    assert found.factor == pytest.approx(factor)
    assert not found.assumed


def test_a_unit_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="'acc x' is in 'furlong'") as error:
        sources(metadata(["acc x"], "furlong"), np.zeros((1, 4, 1), np.float32))
    assert "m/s^2" in error.value.message


@pytest.mark.parametrize(("unit", "one_g"), [("", GRAVITY), ("g", 1.0)])
def test_gravity_tells_the_accelerometer_from_what_is_left_without_it(unit: str, one_g: float) -> None:
    names = [f"accelerometer {axis}" for axis in "xyz"]
    with_gravity = sources(metadata(names, unit), still(3, one_g))
    assert [one.sensor for one in with_gravity] == ["accelerometer"] * 3
    quiet = np.concatenate([still(2, 2 * one_g), still(1, 0.1 * one_g)])  # one window is enough
    without = sources(metadata(names, unit), quiet)
    assert [one.sensor for one in without] == ["linear_acceleration"] * 3


def test_the_limit_is_half_of_gravity() -> None:
    found = [Source("accelerometer", axis, 1.0, True) for axis in range(3)]
    assert least_acceleration(found, still(1, 4.0)) == pytest.approx(4.0)
    names = [f"accelerometer {axis}" for axis in "xyz"]
    below, above = (sources(metadata(names, ""), still(1, z))[0].sensor for z in (4.9, 4.91))
    assert (below, above) == ("linear_acceleration", "accelerometer")


def test_two_axes_say_nothing_about_gravity() -> None:
    found = sources(metadata(["acc x", "acc y"], ""), np.zeros((1, 4, 2), np.float32))
    assert [one.sensor for one in found] == ["accelerometer"] * 2
    assert least_acceleration(found, np.zeros((1, 4, 2), np.float32)) == float("inf")


def test_two_channels_that_would_be_one_sensor_are_refused() -> None:
    twice = metadata(["acc x", "gyro x", "total acc x"], "")
    with pytest.raises(InputError, match="'acc x' and 'total acc x' are both accelerometer x of a phone"):
        sources(twice, np.zeros((1, 4, 3), np.float32))
    both = metadata([f"{sensor} {axis}" for sensor in ("acc", "body acc") for axis in "xyz"], "")
    with pytest.raises(InputError, match="'acc x' and 'body acc x' are both linear acceleration x"):
        sources(both, np.concatenate([still(1, 0.1), still(1, 0.1)], axis=2))  # acc holds no gravity either
    assert len(sources(both, np.concatenate([still(1, GRAVITY), still(1, 0.1)], axis=2))) == 6
