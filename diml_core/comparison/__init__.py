"""What belongs to a pair: options, marginals, the transport between parts, and the scores it weighs."""
