"""JSON that hurts: the public suite of json.org and harder cases, as a body and as an event's data; and bodies cut anywhere."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from simplejson.tests.test_fail import JSONDOCS
from simplejson.tests.test_pass1 import JSON as PASS_1
from simplejson.tests.test_pass2 import JSON as PASS_2
from simplejson.tests.test_pass3 import JSON as PASS_3

from tests.fixtures.gateway import BATCH, TOKEN, Gateway, encoded, event

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
EVENT = "application/cloudevents+json"
TYPED = {"malformed", "schema", "unknown-type", "unknown-agency", "future-dated", "not-permitted", "too-large"}

#: What the suite of 2007 does not have: encodings, numbers, depth, escapes, duplicates.
HARDER = [
    b"", b" ", b"\x00", b"null", b"true", b'"a"', b"7", b"{}", b"[]", b"[null]", b"[[]]", b"[{}]", b"[,]", b"[1 2]", b"{,}",
    b'{"a":}', b'{"a" 1}', b'{:1}', b'{"a":1,"a":2}', b"{'a':1}", b"[1,2", b"]", b"[1]]", b"[1]x", b"[1]\x00", b"// a\n{}",
    b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"{\x00}\x00", b"\x00\x00\x00{\x00\x00\x00}",
    b'["\xff"]', b'["\xc0\x80"]', b'["\xed\xa0\x80"]', b'["\\ud800"]', b'["\\ud800\\u0041"]', b'["\\udc00\\ud800"]',
    b'["\\u12"]', b'["\\x41"]', b'["\\a"]', b'["\\', b'["\n"]', b'["\x1f"]', b'["\\u0000"]', b"[nan]", b"[NaN]", b"[Infinity]",
    b"[-Infinity]", b"[-]", b"[+1]", b"[01]", b"[1.]", b"[.1]", b"[1e]", b"[1e+]", b"[0x1]", b"[1e400]", b"[-1e400]", b"[1e-400]",
    b"[" + b"9" * 5000 + b"]", b"[0." + b"0" * 5000 + b"1]", b"[1E+99999999999999]", b"[-0]", b"[-0.0]", b"[1_000]",
    b"[" * 100_000, b"[" * 50_000 + b"]" * 50_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "[\u2028]".encode(), "[\u00a0]".encode(), "[１]".encode(), b'{"\\u0000":1}', b'{"":1}', b"[" + b'"a",' * 50_000 + b'"a"]',
]  # fmt: skip
CASES = [*(one.encode() for one in (*JSONDOCS, PASS_1, PASS_2, PASS_3)), *HARDER]


def test_the_suite_is_there() -> None:
    """An upgrade that leaves the cases out would make the next test empty."""
    assert len(JSONDOCS) >= 30


@pytest.mark.parametrize("kind", [EVENT, BATCH])
def test_as_a_body(gateway: Gateway, kind: str) -> None:
    """Every case gets an answer of ours: 2xx, or 4xx with a typed reason."""
    for body in CASES:
        _answered(gateway, body, kind)


def test_as_data(gateway: Gateway) -> None:
    """The same cases in place of an event's data, and of an attribute that nobody reads."""
    head, tail = encoded(event()).split(b'"data": ')[0], b"}"
    for case in CASES:
        _answered(gateway, head + b'"data": ' + case + tail, EVENT)
        _answered(gateway, b"[" + head + b'"data": {}, "extension": ' + case + tail + b"]", BATCH)


def _answered(gateway: Gateway, body: bytes, kind: str) -> None:
    answer = gateway.post(body, kind)
    assert answer.status_code in {202, 207, 400, 413, 422}, (body[:80], answer.text)
    said = answer.json()
    assert {one["reason"] for one in said["rejected"]} <= TYPED
    assert answer.status_code == 202 or said["rejected"]


def _packed() -> Iterator[tuple[str, str, bytes]]:
    whole = encoded(event())
    yield EVENT, "identity", whole
    yield BATCH, "identity", b"[" + whole + b"]"
    yield EVENT, "gzip", gzip.compress(whole, mtime=0)
    yield BATCH, "zstd", zstandard.compress(b"[" + whole + b"]")


@pytest.mark.parametrize(
    ("kind", "encoding", "body"), list(_packed()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_cut_at_every_byte(gateway: Gateway, kind: str, encoding: str, body: bytes) -> None:
    """A beginning of a body that ends as if it were the whole: unreadable, never taken, never a fault of ours."""
    for at in range(len(body)):
        answer = gateway.post(body[:at], kind, Content_Encoding=encoding)
        assert answer.status_code in {400, 422}, (at, answer.text)
        assert answer.json()["accepted"] == 0
    assert gateway.post(body, kind, Content_Encoding=encoding).status_code == 202


@pytest.mark.parametrize(
    ("head", "ends"),
    [
        pytest.param("Content-Length: {more}", True, id="fewer bytes than promised"),
        pytest.param("Content-Length: {less}", False, id="more bytes than promised"),
        pytest.param("Transfer-Encoding: chunked", True, id="chunked, without chunks"),
        pytest.param("Content-Length: 10\r\nContent-Length: 11", False, id="two lengths"),
        pytest.param("Content-Length: -1", False, id="a length below zero"),
        pytest.param("Content-Length: 99999999999999999999", True, id="a length without end"),
    ],
)
def test_lengths_that_lie(gateway: Gateway, head: str, ends: bool) -> None:
    """The connection is answered 4xx or closed, and the gateway goes on."""
    body = encoded(event())
    lines = head.format(more=len(body) + 10, less=len(body) - 10)
    request = (
        f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {EVENT}\r\n{lines}\r\n\r\n"
    ).encode() + body
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as sent:
        sent.sendall(request)
        if ends:
            sent.shutdown(socket.SHUT_WR)
        first = sent.recv(4096)
    assert not first or first.startswith(b"HTTP/1.1 4"), first
    assert gateway.post(encoded(event())).status_code == 202


def test_a_bomb_in_a_batch(gateway: Gateway) -> None:
    """A few kilobytes that would unpack to a gigabyte are told to be too large, at once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1024)) + packer.flush()
    answer = gateway.post(bomb[: 512 << 10], BATCH, Content_Encoding="gzip")
    assert (answer.status_code, answer.json()["rejected"][0]["reason"]) == (413, "too-large")
