"""How much memory is left, to be asked before much of it is: Linux hands out more than it has, then kills."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Of cgroups' versions: below the mount, the limit, what is used, and cached files in it that make room when asked.
_FILES = {
    2: ("", "memory.max", "memory.current", "inactive_file"),
    1: ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process can still take.

    Args:
        root: of the file system that describes it.

    Returns:
        What the machine has free, or what its container (cgroup, version 1 or 2) may still use where
        that is less. Without Linux' files all memory there is; None where the system does not say.
    """
    found = list(_left_to_groups(root))
    try:
        kilobytes = _number(r"MemAvailable:\s*(\d+)", (root / "proc/meminfo").read_text())
        found.append(kilobytes << 10)
    except (OSError, ValueError):
        with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _left_to_groups(root: Path) -> Iterator[int]:
    """What every group that the process is in, and every group around it, leaves to it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        mount, limit, used, cached = _FILES[1 if controllers else 2]
        # Inside a container the path can be the host's: then what is mounted is the group itself.
        top = Path(mount) / path.lstrip("/")
        for folder in (root / "sys/fs/cgroup" / part for part in (top, *top.parents)):
            with suppress(OSError, ValueError):  # no such group, or "max": no limit
                statistics = (folder / "memory.stat").read_text()
                freed = _number(rf"^{cached} (\d+)", statistics)
                in_use = int((folder / used).read_text()) - freed
                yield int((folder / limit).read_text()) - in_use


def _number(line: str, text: str) -> int:
    """The number in the line of a text that looks so; ValueError where none does."""
    found = re.search(line, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"no line is like {line}")
    return int(found[1])
