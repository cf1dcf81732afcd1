"""The fused int8 LSTM of TFLite and LiteRT, many times faster and not one bit different.

    interpreter = Interpreter("model_int8.tflite", experimental_delegates=[fuselage_kernels.load()])

`load` returns a delegate for the stock interpreter, or raises `Unavailable` and says why; `describe` says
what a delegate has taken over. Nothing else of fuselage is needed or imported.
"""

from fuselage_kernels.library import Taken, describe, runnable_paths
from fuselage_kernels.loader import TESTED, Unavailable, load

__all__ = ["TESTED", "Taken", "Unavailable", "describe", "load", "runnable_paths"]
__version__ = "0.1.0"
