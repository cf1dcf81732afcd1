"""Does the int8 file do what the float model does? Measurements, limits, verdict. See docs/parity.md."""
