"""How a model becomes a .tflite, and what a .tflite says."""
