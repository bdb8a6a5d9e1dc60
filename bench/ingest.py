"""The log connector: lines of a mail log, parsed and correlated."""

from __future__ import annotations

from bench.measure import RUNS, Result, rate
from services.ingest.core.postfix_lines import read_line
from services.ingest.core.postfix_mail import MailFold, Senders

_EVENTS = 20_000
_BATCH = 500


def postfix() -> list[Result]:
    """Lines of a mail log, parsed and correlated, per second of one core."""
    lines = []
    for number in range(20_000):
        queue = f"{number:010X}"
        head = f"2008-09-29T09:{number // 60 % 60:02}:{number % 60:02}.000000+07:00 mail postfix"
        lines += [
            f"{head}/smtpd[1201]: {queue}: client=pc.example.gov.vn[10.0.0.5], sasl_method=PLAIN, sasl_username=x",
            f"{head}/cleanup[1202]: {queue}: message-id=<{number}@example.gov.vn>",
            f"{head}/qmgr[1203]: {queue}: from=<office{number % 900}@example.gov.vn>, size=2048, nrcpt=1 (queue active)",
            f"{head}/smtp[1204]: {queue}: to=<a@example.org>, relay=none, delay=0.1, dsn=2.0.0, status=sent (250 ok)",
            f"{head}/qmgr[1203]: {queue}: removed",
        ]

    def fold() -> int:
        state = MailFold(Senders(domains=("example.gov.vn",), system=frozenset()))
        for line in lines:
            state.step(read_line(line), 14_151)
        return len(lines)

    fold()
    rates = sorted(rate(fold) for _ in range(RUNS))
    return [Result("postfix_lines_s", round(rates[RUNS // 2]), "lines/s", RUNS)]
