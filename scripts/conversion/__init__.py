"""How each shipped checkpoint is rebuilt: one file per model, and one for the wheels."""
