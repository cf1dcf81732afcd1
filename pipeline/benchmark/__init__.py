"""What a model costs: time, memory, start-up, size and operators, beside its peers in the same run."""
