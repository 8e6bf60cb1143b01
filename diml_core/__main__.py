"""The command line: ``diml COMMAND``, or ``python -m diml_core COMMAND`` where it is not installed.

Bad input ends with one sentence on stderr and exit code 2, never with a traceback.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from diml_core.commands import compare, evaluate, index, photos, scenes, search, train
from diml_core.errors import InputError
from diml_core.version import VERSION

_COMMANDS = (compare, index, search, photos, scenes, train, evaluate)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would print its whole usage before the sentence.
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help').\n")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code: 0, or 2 for bad input."""
    installed = Path(sys.argv[0]).name in ("diml", "diml.exe")
    parser = _Parser(
        prog="diml" if installed else "python -m diml_core",
        description=sys.modules["diml_core"].__doc__,
    )
    parser.add_argument("--version", action="version", version=f"diml-explorer {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for command in _COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    try:
        parsed.run(parsed)
    except InputError as error:
        print(f"{parser.prog} {parsed.command}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
