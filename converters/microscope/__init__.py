"""The microscope: where the error of an int8 LSTM comes from, by switching its roundings off one at a time.

``roundings`` names them, ``simulation`` runs the LSTM with any choice of them, ``attribution`` and
``statistics`` measure, ``explanation`` puts it together for one LSTM, ``inner`` and ``reference`` find what
it needs inside the files. NumPy only; the interpreter runs in a child process. See docs/explain.md.
"""
