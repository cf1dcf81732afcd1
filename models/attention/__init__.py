"""Attention layers, one file a family: scores -> softmax -> context."""
