"""What a model costs: time by percentiles, memory, start-up, size, operators, and its peers in the same run."""
