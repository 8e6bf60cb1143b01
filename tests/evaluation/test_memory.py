"""What is left of memory, as Linux describes it to machines and containers."""

import pytest

from diml_core.evaluation.memory import available_memory

MIB = 1 << 20
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def machine(root, free, groups):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:    {free // 1024} kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    return root


def group(folder, names, limit, used, cached):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"cache 1\n{names[2]} {cached}\nrss 2\n")


def test_a_machine_gives_what_is_available(tmp_path):
    assert available_memory(machine(tmp_path, 700 * MIB, "0::/\n")) == 700 * MIB


@pytest.mark.parametrize(
    ("line", "top", "names"),
    [("0::/{}\n", "", V2), ("5:cpu:/\n4:memory:/{}\n", "memory", V1)],
    ids=["v2", "v1"],
)
def test_the_tightest_group_decides(tmp_path, line, top, names):
    root = machine(tmp_path, 700 * MIB, line.format("outer/inner"))
    outer = root / "sys/fs/cgroup" / top / "outer"
    group(outer / "inner", names, "max" if names is V2 else 2**63 - 4096, 90 * MIB, 0)
    group(outer, names, 300 * MIB, 120 * MIB, 20 * MIB)  # whose cache makes room
    assert available_memory(root) == 200 * MIB
    group(outer / "inner", names, 100 * MIB, 90 * MIB, 0)
    assert available_memory(root) == 10 * MIB


def test_a_container_that_sees_the_hosts_path_is_its_mount(tmp_path):
    root = machine(tmp_path, 700 * MIB, "4:memory:/docker/abc\n")
    group(root / "sys/fs/cgroup/memory", V1, 50 * MIB, 8 * MIB, 0)
    assert available_memory(root) == 42 * MIB


def test_without_linux_files_it_is_at_most_all_there_is(tmp_path):
    here = available_memory()
    assert here is None or here <= available_memory(tmp_path)
