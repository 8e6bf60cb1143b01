"""What a pickled checkpoint of an attacker holds."""

import os


class Malicious:
    """Unpickling one makes the folder ``target``."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)
