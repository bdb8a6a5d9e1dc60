"""A log's files under rotation: every line once, in order."""

import gzip
import os
import shutil

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.log_files import FileState, LogFiles


def line(number):
    return f"2008-06-02T08:00:{number:06d}+07:00 mail postfix/smtpd[{number}]: line {number}"


class Reader:
    """Reads on from what it remembers, as a restarted process does."""

    def __init__(self, path):
        self.path, self.saved, self.lines, self.too_long = path, b"[]", [], 0

    def read(self, limit=None):
        files = LogFiles(self.path, msgspec.json.decode(self.saved, type=list[FileState]))
        for text in files.lines():
            self.lines.append(text)
            if limit is not None and len(self.lines) >= limit:
                break
        self.saved = msgspec.json.encode(files.states())
        self.too_long += files.too_long
        return self.lines


@pytest.fixture
def log(tmp_path):
    return tmp_path / "mail.log"


@pytest.fixture
def write(log):
    count = iter(range(10**6))

    def more(lines, path=log):
        texts = [line(next(count)) for _ in range(lines)]
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(text + "\n" for text in texts)
        return texts

    return more


def compress(path):
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    path.unlink()


def test_rename_loses_and_repeats_nothing(log, write):
    """The renamed file is read to its end under its new name, then the new one."""
    reader, expected = Reader(log), write(3)
    reader.read()
    expected += write(2)
    log.rename(f"{log}.1")
    expected += write(4)
    assert reader.read() == expected
    assert reader.read() == expected


def test_a_writer_that_goes_on_in_the_renamed_file_is_heard(log, write):
    """Until the daemon reopens its log, lines arrive in the old one."""
    reader, expected = Reader(log), write(3)
    old = log.rename(f"{log}.1")
    reader.read()
    expected += write(2, old)
    expected += write(1)
    assert reader.read() == expected


def test_copy_and_truncate_loses_and_repeats_nothing(log, write):
    """Whether we look before, between or after the two steps."""
    reader, expected = Reader(log), write(50)
    reader.read(limit=20)
    shutil.copy(log, f"{log}.1")
    reader.read(limit=30)
    os.truncate(log, 0)
    assert reader.read() == expected
    expected += write(5)
    assert reader.read() == expected


def test_a_copy_that_is_still_being_made_is_not_taken_for_a_new_log(log, write, tmp_path):
    """A part of the copy begins like the log itself."""
    reader, expected = Reader(log), write(50)
    reader.read()
    (tmp_path / "mail.log.1").write_bytes(log.read_bytes()[:700])
    assert reader.read() == expected


def test_a_file_read_before_is_known_when_compressed(log, write, tmp_path):
    """Compression changes name, inode and size, not the lines."""
    reader, expected = Reader(log), write(40)
    reader.read(limit=25)
    log.rename(f"{log}.1")
    compress(tmp_path / "mail.log.1")
    expected += write(2)
    assert reader.read() == expected
    assert reader.read() == expected


def test_both_forms_for_a_moment_are_one_file(log, write, tmp_path):
    """gzip removes the plain file only after it has written the other."""
    reader, expected = Reader(log), write(40)
    old = log.rename(f"{log}.1")
    with gzip.open(tmp_path / "mail.log.1.gz", "wb") as packed:
        packed.write(old.read_bytes())
    assert reader.read() == expected
    old.unlink()
    assert reader.read() == expected


def test_half_a_compressed_file_waits(log, write, tmp_path):
    """Its rest is read when it is whole."""
    reader, expected = Reader(log), write(4000)
    whole = gzip.compress(log.read_bytes())
    log.unlink()
    packed = tmp_path / "mail.log.1.gz"
    packed.write_bytes(whole[: len(whole) // 2])
    assert len(reader.read()) < 4000
    packed.write_bytes(whole)
    assert reader.read() == expected


def test_old_files_are_read_oldest_first(log, tmp_path):
    """Dated before numbered ones, numbered from the greatest down, the live one last."""
    names = ["mail.log-20080501.gz", "mail.log-20080601", "mail.log.20080605-000000", "mail.log.10", "mail.log.2.gz",
             "mail.log.1", "mail.log"]  # fmt: skip
    for number, name in enumerate(names):
        content = (line(number) + "\n").encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    for other in ("mail.logs", "mail.log.swp", "mail.log.1~", "mail.log.d"):
        (tmp_path / other).write_text("no log\n")
    assert Reader(log).read() == [line(number) for number in range(len(names))]


def test_half_a_line_waits_for_its_rest(log):
    """A writer may be in the middle of it."""
    log.write_text(line(1) + "\n" + line(2)[:30])
    reader = Reader(log)
    assert reader.read() == [line(1)]
    log.write_text(line(1) + "\n" + line(2) + "\n")
    assert reader.read() == [line(1), line(2)]


def test_a_last_line_without_end_counts_once_a_newer_file_is_there(log, write):
    """Nobody will finish it."""
    log.write_text(line(900) + "\n" + "half a li")
    log.rename(f"{log}.1")
    expected = [line(900), "half a li", *write(1)]
    assert Reader(log).read() == expected


def test_a_huge_line_is_counted_and_left_out(log):
    """More than 1 MB is no log line; its neighbours are read, memory stays bounded."""
    log.write_text(line(1) + "\n" + "x" * (5 << 20) + "\n" + line(2) + "\n")
    reader = Reader(log)
    assert reader.read() == [line(1), line(2)]
    assert reader.too_long == 1


def test_bytes_that_are_no_text_are_read(log):
    """Any byte is a character, so that offsets are those of bytes."""
    log.write_bytes(bytes(range(1, 10)) + bytes(range(11, 256)) + b"\n" + line(1).encode() + b"\n")
    assert Reader(log).read()[1] == line(1)


def test_a_missing_log_is_empty(log):
    """It may come later."""
    assert Reader(log).read() == []


STEPS = st.lists(st.sampled_from(["write", "read", "some", "rename", "copy", "compress", "half"]), max_size=40)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_any_course_of_writing_rotating_and_reading(tmp_path_factory, steps):
    """Whatever happens between two looks, each line comes once and in order."""
    folder = tmp_path_factory.mktemp("log")
    log, written, number = folder / "mail.log", [], 0
    reader = Reader(log)
    for step in [*steps, "read"]:
        if step in ("write", "half"):
            with log.open("a", newline="\n") as file:
                for _ in range(7):
                    written.append(line(number))
                    file.write(line(number) + "\n")
                    number += 1
        elif step == "read":
            assert reader.read() == written
        elif step == "some":
            reader.read(limit=len(reader.lines) + 3)
        elif step in ("rename", "copy") and log.exists() and log.stat().st_size:
            olds = sorted(folder.glob("mail.log.*"), key=lambda path: -int(path.name.split(".")[2]))
            for old in olds:
                parts = old.name.split(".")
                parts[2] = str(int(parts[2]) + 1)
                old.rename(folder / ".".join(parts))
            if step == "rename":
                log.rename(f"{log}.1")
            else:
                shutil.copy(log, f"{log}.1")
                os.truncate(log, 0)
        elif step == "compress" and (folder / "mail.log.1").exists():
            compress(folder / "mail.log.1")
    assert reader.read() == written


def test_a_log_that_may_not_be_read_is_no_empty_log(log, write, monkeypatch):
    """It stops the connector, with what to do."""
    write(1)

    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(log), "open", refuse)
    with pytest.raises(CannotGoOn, match="adm"):
        Reader(log).read()
