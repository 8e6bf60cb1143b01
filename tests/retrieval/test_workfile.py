"""What an index run had computed survives damage as far as it is whole, and no further."""

import numpy as np
import pytest

from diml_core.comparison.options import ExplainOptions
from diml_core.errors import InputError
from diml_core.retrieval.records import PhotoRecord, RecordTable, write_records
from diml_core.retrieval.spec import GallerySpec, PackedPhoto
from diml_core.retrieval.workfile import WorkFile

SPEC = GallerySpec("tiny", "0", ExplainOptions(grid=2), parts=4, dim=3, has_rollout=True)


def record(number):
    if number == 1:
        return PhotoRecord("1.png", 10, 20, "digest 1", problem="'1.png' is damaged.")
    return PhotoRecord(f"{number}.png", 10, 20, f"digest {number}", grid=(2, 2))


def photo(number):
    if number == 1:
        return None
    weights = np.full(4, number / 10, np.float32)
    return PackedPhoto(np.full((5, 3), number, np.float16), weights, (2, 2))


@pytest.fixture
def folder(tmp_path):
    """Four photos, the second of them unusable."""
    work = WorkFile(tmp_path / "work", SPEC)
    work.append([(record(number), photo(number)) for number in range(4)])
    work.close()
    return tmp_path / "work"


def check(folder, known):
    """The first ``known`` are there, and others can be added behind them."""
    work = WorkFile(folder, SPEC)
    assert work.records == [record(number) for number in range(known)]
    work.append([(record(9), photo(9))])
    for again in (work, None):
        work = again or WorkFile(folder, SPEC)
        for number in {0, 2, 3} & set(range(known)) | {9}:
            np.testing.assert_array_equal(
                work.read(f"digest {number}").vectors, photo(number).vectors
            )
            np.testing.assert_array_equal(
                work.read(f"digest {number}").weights, photo(number).weights
            )
        work.close()


@pytest.mark.parametrize("cut", [1, 30])
def test_a_journal_that_was_cut_short_loses_its_last_line(folder, cut):
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes()[:-cut])
    check(folder, 3)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x00\xff\xfe", b"not json", b"[1, 2]", b"null", b"[" * 100_000, b"{}", b'{"path": "a"}',
        b'{"path": 1, "size": 1, "mtime_ns": 1, "sha256": "a", "grid": [1, 1]}',
        b'{"path": "a", "size": "1", "mtime_ns": 1, "sha256": "a", "grid": [1, 1]}',
        b'{"path": "a", "size": 1, "mtime_ns": 1, "sha256": "a", "grid": 4}',
        b'{"path": "a", "size": 1, "mtime_ns": 1, "sha256": "a", "grid": [2]}',
        b'{"path": "a", "size": 1, "mtime_ns": 1, "sha256": "a", "grid": ["b", 0]}',
        b'{"path": "a", "size": 1, "mtime_ns": 1, "sha256": "a", "colour": 3}',
    ],
)  # fmt: skip
def test_a_journal_counts_up_to_its_first_damaged_line(folder, tmp_path, rubbish):
    journal = folder / "journal"
    header, *lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = rubbish + b"\n"
    journal.write_bytes(b"".join([header, *lines]))
    check(folder, 2)

    table = tmp_path / "records.jsonl"
    write_records(table, [record(0), record(2)])
    table.write_bytes(table.read_bytes() + lines[2])
    assert RecordTable(table)[1] == record(2)
    with pytest.raises(InputError, match=r"Line 3 of .* is damaged") as caught:
        list(RecordTable(table))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("left", "known"), [(0, 0), (50, 2), (2 * 46, 3)])
def test_photos_whose_rows_are_gone_are_not_made_up(folder, left, known):
    rows = folder / "rows"
    assert rows.stat().st_size == 3 * 46  # five vectors of three halves and four floats each
    rows.write_bytes(rows.read_bytes()[:left])
    check(folder, known)


def test_a_journal_without_its_header_is_started_anew(folder):
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes()[:20])
    check(folder, 0)
