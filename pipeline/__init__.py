"""In which order things happen, and how people are told: commands, stages, data, parity, reports, runtime."""

__version__ = "0.1.0"
