"""The sub-commands of ``python -m diml_core``, one per file."""
