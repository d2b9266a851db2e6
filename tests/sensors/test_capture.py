"""What the user may name by mistake, and what the answer says."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensors.capture import CaptureUnreadable, open_capture, single_file
from tests.support import pcap_bytes


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.pcap"
    file.write_bytes(pcap_bytes.pcap([b"\0" * 60]))
    return file


@pytest.fixture
def other_user() -> Iterator[None]:
    """Files are opened as a user without privileges: root may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_knows_name_size_and_identity_of_a_capture(small: Path) -> None:
    capture = open_capture(small)
    assert (capture.path, capture.name, capture.size_bytes) == (small, "small.pcap", small.stat().st_size)
    assert capture.sha256 == hashlib.sha256(small.read_bytes()).hexdigest()


def test_the_identity_is_read_once(small: Path) -> None:
    capture = open_capture(small)
    first = capture.sha256
    small.unlink()
    assert capture.sha256 == first


def test_the_identity_of_a_capture_that_went_away_is_the_users_error(small: Path) -> None:
    capture = open_capture(small)
    small.unlink()
    with pytest.raises(CaptureUnreadable, match=r"small\.pcap: no such file"):
        _ = capture.sha256


def test_a_capture_that_stays_as_it_is_may_be_trusted(small: Path) -> None:
    open_capture(small).refuse_changed()


def test_a_capture_that_is_still_being_written_is_refused(small: Path) -> None:
    capture = open_capture(small)
    with small.open("ab") as more:
        more.write(b"\0" * 16)
    with pytest.raises(CaptureUnreadable, match=r"small\.pcap: changed while it was being read; wait"):
        capture.refuse_changed()


def test_a_capture_that_was_written_anew_with_the_same_length_is_refused(small: Path) -> None:
    capture = open_capture(small)
    os.utime(small, ns=(0, capture.modified_ns + 1_000_000_000))
    with pytest.raises(CaptureUnreadable, match="changed while it was being read"):
        capture.refuse_changed()


def test_gzip_is_left_to_the_engine(tmp_path: Path) -> None:
    file = tmp_path / "small.pcap.gz"
    file.write_bytes(gzip.compress(pcap_bytes.pcap([b"\0" * 60])))
    assert open_capture(file).name == "small.pcap.gz"


def test_a_missing_file_is_named_with_what_to_check(tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable) as refusal:
        open_capture(tmp_path / "nowhere.pcap")
    assert str(refusal.value) == f"{tmp_path}/nowhere.pcap: no such file; check the name and the folder"


def test_a_path_through_a_file_is_told_apart_from_a_missing_file(small: Path) -> None:
    with pytest.raises(CaptureUnreadable, match="a part of its path is a file"):
        open_capture(small / "inside.pcap")


def test_a_folder_is_its_captures_in_the_order_of_their_first_frames(tmp_path: Path) -> None:
    for name, seconds in (("a.pcap", 9), ("b.pcap.gz", 5), ("c.pcap0", 7)):
        content = pcap_bytes.pcap([b"\0" * 60], start_s=pcap_bytes.START_S + seconds)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (tmp_path / "d.pcap").write_bytes(pcap_bytes.pcap([]))
    (tmp_path / "notes.txt").write_text("not a capture")
    (tmp_path / ".hidden.pcap").write_text("not a capture either")
    capture = open_capture(tmp_path)
    assert [part.name for part in capture.parts] == ["d.pcap", "b.pcap.gz", "c.pcap0", "a.pcap"]
    assert capture.size_bytes == sum(part.size_bytes for part in capture.parts)
    digests = [hashlib.sha256(part.path.read_bytes()).hexdigest() for part in capture.parts]
    assert capture.sha256 == hashlib.sha256("".join(f"{one}\n" for one in digests).encode()).hexdigest()


def test_a_folder_of_which_a_file_changes_is_refused(small: Path) -> None:
    capture = open_capture(small.parent)
    with small.open("ab") as more:
        more.write(b"\0" * 16)
    with pytest.raises(CaptureUnreadable, match=r"small\.pcap: changed while"):
        capture.refuse_changed()


def test_a_file_of_a_folder_that_is_no_capture_is_named(small: Path) -> None:
    (small.parent / "other.pcap").write_text("not a capture")
    with pytest.raises(CaptureUnreadable, match=r"other\.pcap: byte 0: not a capture"):
        open_capture(small.parent)


def test_a_folder_without_captures_is_refused_with_the_names_that_count(tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable, match=r"is a folder without a capture; .*\*\.pcap, \*\.pcapng"):
        open_capture(tmp_path)


def test_a_folder_may_be_empty_when_it_is_followed(tmp_path: Path) -> None:
    assert open_capture(tmp_path, follow=True).parts == ()


def test_standard_input_is_a_capture_without_a_size() -> None:
    capture = open_capture("-")
    assert (capture.is_stream, capture.name, capture.size_bytes) == (True, "standard input", 0)


def test_what_is_read_twice_is_one_file(small: Path) -> None:
    assert single_file(open_capture(small)).path == small
    for other, said in ((small.parent, "is a folder"), (Path("-"), "is standard input")):
        with pytest.raises(CaptureUnreadable, match=said):
            single_file(open_capture(other))


def test_an_empty_file_is_refused_before_decoding(tmp_path: Path) -> None:
    file = tmp_path / "empty.pcap"
    file.touch()
    with pytest.raises(CaptureUnreadable, match="is empty") as refusal:
        open_capture(file)
    assert refusal.value.byte_offset is None


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    fifo = tmp_path / "packets"
    os.mkfifo(fifo)
    with pytest.raises(CaptureUnreadable, match="is not a regular file"):
        open_capture(fifo)


@pytest.mark.usefixtures("other_user")
def test_a_file_of_another_user_is_refused_with_the_reason() -> None:
    refused = Path("/etc/shadow")
    if not refused.exists() or refused.stat().st_mode & stat.S_IROTH:
        pytest.skip("this system has no file that ordinary users may not read")
    with pytest.raises(CaptureUnreadable, match="may not be read by this user"):
        open_capture(refused)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\xfd7zXZ\x00", "is xz-compressed; decompress it first: xz -d "),
        (b"BZh91AY", "is bzip2-compressed"),
        (b"PK\x03\x04", "is a zip archive"),
        (b"snoop\x00\x00\x00", "is a snoop capture; convert it first: editcap -F pcap "),
    ],
)
def test_a_format_that_others_read_comes_with_the_command_that_converts_it(
    tmp_path: Path, start: bytes, said: str
) -> None:
    file = tmp_path / "other"
    file.write_bytes(start + b"\0" * 100)
    with pytest.raises(CaptureUnreadable) as refusal:
        open_capture(file)
    assert said in str(refusal.value)
    assert str(file) in refusal.value.repair
