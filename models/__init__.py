"""What is computed: attention, recurrence, classifier, and their fake-quantized twins for training."""
