"""The shapes that are timed: steps, features, units."""

SHAPES = {
    "T=64 F=40 H=64": (64, 40, 64),
    "T=49 F=10 H=64": (49, 10, 64),
    "T=128 F=9 H=64": (128, 9, 64),
    "T=64 F=40 H=256": (64, 40, 256),
}
