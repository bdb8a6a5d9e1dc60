"""A mail server for trying and testing: takes every mail and keeps it as a file, sends nothing on.

``python -m deploy.local.mail_catcher --port 1025 --dir mails`` listens on 127.0.0.1 until SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import signal
import unicodedata
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


def slug(text: str, *, longest: int = 60) -> str:
    """Return *text* as ASCII words joined by ``-``, for use in a file's name; never empty."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:longest].rstrip("-") or "none"


def short_message_id(message: EmailMessage, content: bytes) -> str:
    """Return ten hex digits that stand for the Message-ID; of a mail without one, for its content."""
    stated = str(message.get("Message-ID", "")).strip()
    return hashlib.sha256(stated.encode() if stated else content).hexdigest()[:10]


def file_stem(content: bytes, recipients: list[str]) -> str:
    """Return ``<date>-<to>-<subject>-<short message id>``, the same for the same mail to the same recipients."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    try:
        day = parsedate_to_datetime(str(message["Date"])).strftime("%Y%m%dT%H%M%S")
    except (TypeError, ValueError):
        day = "undated"
    to = slug(recipients[0] if recipients else "nobody", longest=40)
    return f"{day}-{to}-{slug(str(message.get('Subject', '')))}-{short_message_id(message, content)}"


def keep(folder: Path, content: bytes, recipients: list[str]) -> Path:
    """Write the mail atomically below *folder* and return its file.

    A repeat of a Message-ID overwrites nothing: it becomes ``….2.eml``, ``….3.eml``, whatever date and subject it
    carries, so that repeats can be counted.
    """
    stem = file_stem(content, recipients)
    repeats = len(
        list(folder.glob(f"*-{stem.rsplit('-', 1)[1]}.eml")) + list(folder.glob(f"*-{stem.rsplit('-', 1)[1]}.*.eml"))
    )
    path = folder / (f"{stem}.eml" if repeats == 0 else f"{stem}.{repeats + 1}.eml")
    half = folder / f".{path.name}.{os.getpid()}"
    half.write_bytes(content)
    half.replace(path)
    return path


class Catcher:
    """aiosmtpd's handler: a mail is acknowledged once its file is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content: Any = envelope.original_content or b""
        keep(self._folder, content, [str(one) for one in envelope.rcpt_tos])
        return "250 kept"


async def serve(port: int, folder: Path) -> None:
    """Take mail on 127.0.0.1:*port* until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    handler = Catcher(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="mail-catcher.local", data_size_limit=32 << 20),
        "127.0.0.1",
        port,
    )
    print(f"mail catcher on 127.0.0.1:{port}, mails in {folder}", flush=True)
    async with server:
        await stop.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Take every mail and keep it as a file.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--dir", type=Path, required=True, help="folder for the .eml files")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.dir))


if __name__ == "__main__":
    main()
