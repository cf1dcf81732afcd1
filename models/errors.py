"""The error vocabulary of the three rooms.

Libraries raise one of these; only the command line turns them into text and an exit code.
Anything else that escapes is a bug and keeps its traceback.
"""


class FuselageError(Exception):
    """An error a user can act on.

    Args:
        message: what is wrong, what was got and what is allowed.
        tip: what to try next; may be empty.
    """

    def __init__(self, message: str, tip: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.tip = tip


class InputError(FuselageError):
    """The user's data, file, option or configuration cannot be used."""


class TrainingError(FuselageError):
    """Training did not give a usable model (a loss that is not finite, for example)."""


class QuantizationError(FuselageError):
    """A quantized twin or a table of ranges cannot be made for this model."""


class ConversionError(FuselageError):
    """The TFLite conversion failed, or what it wrote is not what was asked for."""


class VerificationError(FuselageError):
    """A measurement could not be taken. (A measurement that misses its limit is no error but a verdict.)"""


class ReportError(FuselageError):
    """A report could not be rendered."""
