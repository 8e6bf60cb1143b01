"""Learning with DIML: data sets, distances for losses, and training."""
