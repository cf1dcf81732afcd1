"""A Keras model that somebody else trained -> the same function as a model whose LSTM layers fuse.

    files     a .keras, .h5 or SavedModel -> its configuration and weights; nothing in it is executed
    safety    what a configuration may name
    graph     a configuration of either Keras -> layers, their calls, and what flows between them
    lstm      what keeps an LSTM from fusing: mended, or explained
    layers    the other layers, one function for each kind (the registry)
    operations  functions that stand in a model without a layer: ``x[:, -1]``, ``x * y``
    rebuild   graph and weights -> a functional tf_keras model
"""
