"""One line of a Postfix log, as a value: who wrote it, about which queue id, and what for.

Text is taken from fixed places of fixed programs only, so that a subject or an address that imitates a log line stays text.
Plain string operations throughout: a year's log has millions of lines.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a line is to us. The value labels the counts of the summary."""

    ACCEPTED = "accepted"  # smtpd or pickup took a mail
    IDENTIFIED = "identified"  # cleanup named its Message-ID
    RESENT = "resent"  # cleanup named its Resent-Message-ID
    ACTIVE = "queue active"  # qmgr has it, with its sender
    REMOVED = "removed"
    SESSION = "session"  # connections, refusals, filters' decisions: no mail of ours
    DELIVERY = "delivery"
    SERVICE = "service"  # start, stop, warnings, statistics
    OTHER_PROGRAM = "another program"
    NOT_UNDERSTOOD = "not understood"


class Line(NamedTuple):
    """*stamp* is the head's time as written; *queue* names instance and queue id; *value* is a sender or a Message-ID."""

    kind: Kind
    stamp: str
    queue: str = ""
    value: str = ""


_DELIVERY: Final = frozenset(
    {"smtp", "lmtp", "local", "virtual", "pipe", "bounce", "error", "retry", "discard", "relay"}
)
_SERVICE: Final = frozenset(
    [
        "anvil",
        "dnsblog",
        "flush",
        "master",
        "postalias",
        "postdrop",
        "postfix-script",
        "postlog",
        "postlogd",
        "postmap",
        "postmulti",
        "postqueue",
        "postscreen",
        "postsuper",
        "postmap",
        "proxymap",
        "proxywrite",
        "scache",
        "sendmail",
        "showq",
        "spawn",
        "tlsmgr",
        "tlsproxy",
        "trivial-rewrite",
        "verify",
        "postfix",
        "qmqpd",
        "postkick",
        "postlock",
        "postcat",
        "postfix-wrapper",
    ]
)
_REMARKS: Final = ("warning: ", "fatal: ", "panic: ", "error: ", "info: ", "statistics: ")
_CLEANUP: Final = (
    "milter-", "reject: ", "warning: ", "hold: ", "filter: ", "redirect: ", "discard: ", "replace: ", "prepend: ",
    "info: ", "strip: ", "bcc: ", "pass: ", "sender_bcc", "recipient_bcc", "canceled", "table ", "uid=", "delay",
)  # fmt: skip


def split_head(line: str) -> tuple[str, str, str] | None:
    """Return the time as written, the tag (without its colon) and the text of a syslog line; None where it has no such head.

    RFC 3339 (``2008-06-02T08:00:01+07:00 host tag: …``) and RFC 3164 (``Jun  2 08:00:01 host tag: …``) heads. A further
    form gets a further branch here, and its time one in `syslog_time`.
    """
    if line[4:5] == "-" and line[10:11] == "T":
        parts = line.split(" ", 3)
        if len(parts) != 4:
            return None
        stamp, _, tag, text = parts
    elif line[3:4] == " " and line[9:10] == ":" and line[15:16] == " ":
        stamp = line[:15]
        parts = line[16:].split(" ", 2)
        if len(parts) != 3:
            return None
        _, tag, text = parts
    else:
        return None
    return (stamp, tag[:-1], text) if tag[-1:] == ":" else (stamp, tag, text)


def read_line(line: str) -> Line:
    """Read one line; never raises. What has no head, or is Postfix's and unknown to us, is NOT_UNDERSTOOD."""
    head = split_head(line)
    if head is None:
        return Line(Kind.NOT_UNDERSTOOD, "")
    stamp, tag, text = head
    if not tag.startswith("postfix"):
        return Line(Kind.OTHER_PROGRAM, stamp)
    bracket = tag.find("[")
    name = tag[:bracket] if bracket >= 0 else tag
    slash = name.rfind("/")
    daemon = name[slash + 1 :]
    if daemon in _DELIVERY:
        return Line(Kind.DELIVERY, stamp)
    if daemon in _SERVICE or text.startswith(_REMARKS):
        return Line(Kind.SERVICE, stamp)
    # A service may log under a name of its own (postfix/submission/smtpd): all services of an instance share queue ids.
    instance = name[: name.find("/")]
    queue_id, separator, said = text.partition(": ")
    known = separator and queue_id.isalnum() and queue_id != "NOQUEUE"
    queue = f"{instance}:{queue_id}" if known else ""
    match daemon:
        case "qmgr" | "nqmgr" | "oqmgr":
            return _of_queue_manager(stamp, queue, text, said)
        case "cleanup":
            return _of_cleanup(stamp, queue, said)
        case "smtpd":
            return (
                Line(Kind.ACCEPTED, stamp, queue) if queue and said.startswith("client=") else Line(Kind.SESSION, stamp)
            )
        case "pickup":
            taken = queue and said.startswith("uid=")
            return Line(Kind.ACCEPTED, stamp, queue) if taken else Line(Kind.NOT_UNDERSTOOD, stamp)
        case _:
            return Line(Kind.NOT_UNDERSTOOD, stamp)


def _of_queue_manager(stamp: str, queue: str, text: str, said: str) -> Line:
    if not queue:
        # "123ABC: removed" is the usual one; the queue manager also says when it lost or skipped a file.
        return Line(Kind.NOT_UNDERSTOOD, stamp)
    if said == "removed":
        return Line(Kind.REMOVED, stamp, queue)
    if said.startswith("from=<"):
        end = said.rfind(">, size=")
        if end >= 0 and said.endswith("(queue active)"):
            return Line(Kind.ACTIVE, stamp, queue, said[6:end])
        if ">, status=" in said:
            return Line(Kind.DELIVERY, stamp)
    if said.startswith(("to=<", "skipped, ", "removed")):
        return Line(Kind.DELIVERY, stamp)
    return Line(Kind.NOT_UNDERSTOOD, stamp)


def _of_cleanup(stamp: str, queue: str, said: str) -> Line:
    if queue and said.startswith("message-id="):
        return Line(Kind.IDENTIFIED, stamp, queue, said[11:])
    if queue and said.startswith("resent-message-id="):
        return Line(Kind.RESENT, stamp, queue, said[18:])
    return Line(Kind.SESSION, stamp) if said.startswith(_CLEANUP) else Line(Kind.NOT_UNDERSTOOD, stamp)
