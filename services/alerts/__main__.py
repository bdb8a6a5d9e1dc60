"""One evaluator of standing and warnings: settings, connections, the app."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from time import sleep
from types import FrameType

from schemas.topics import SHAPES, Topic
from services.alerts.adapters.channels.email import EmailChannel
from services.alerts.adapters.day_codes import DayCodes
from services.alerts.adapters.email import SmtpAddress, open_mailer
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.leadership import topic_ids
from services.alerts.adapters.letters import Letters, TemplateFault
from services.alerts.adapters.log_reader import Folding, LogReader
from services.alerts.adapters.open_warnings import OpenWarnings
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.stillness import Stillness
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.alert_posts import AlertPosts
from services.alerts.answer_urls import AnswerUrls
from services.alerts.app import LEADER_TOPIC, TOPICS, Ending, Pulse, make_app, serve
from services.alerts.blocking import Blocking, collect_rarely, open_blocking
from services.alerts.channels_file import Channels, ChannelsFault, read_channels
from services.alerts.core.notices import EMAIL
from services.alerts.core.samples import sample_letters
from services.alerts.delivery import Delivery
from services.alerts.settings import AlertSettings
from services.alerts.waits import Waits
from services.alerts.watch import Afresh, Watch
from services.core.errors import Transient
from services.infra.answer_links import Signer
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.clock import Clock, open_clock
from services.infra.health import open_health
from services.infra.kafka import Publisher, TopicSpec, ensure_topics, open_producer
from services.infra.logs import set_up_logs
from services.infra.settings import read_settings

log = logging.getLogger(__name__)


def main() -> None:
    """Run one evaluator until SIGTERM (exit code 0). Waits for broker and database for as long as it takes.

    Exit code 2 for settings that cannot be, every fault named at once, and for a template that cannot be used.
    """
    settings = read_settings(AlertSettings)
    set_up_logs("alerts", settings.log_level)
    logging.getLogger("mode.timers").setLevel(logging.ERROR)  # a round may well take longer than the interval
    for chatty in ("faust", "mode"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    collect_rarely()
    clock = open_clock()
    letters = Letters(settings.alerts_templates)
    try:
        letters.check(sample_letters())
    except TemplateFault as fault:
        sys.stderr.write(f"TIENDO_ALERTS_TEMPLATES: {fault}\n")
        sys.exit(2)
    channels = _channels(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with ExitStack() as closing:
        pulse = Pulse()
        closing.enter_context(open_health(settings.host, settings.alerts_port, pulse.missing))
        _insist(pulse, lambda: _make_topics(settings))
        _insist(pulse, lambda: _migrate(settings))
        kafka: list[Publisher] = []
        _insist(pulse, lambda: kafka.append(closing.enter_context(open_producer(settings.kafka()))))
        database = closing.enter_context(open_clickhouse(settings.clickhouse()))
        blocking = closing.enter_context(open_blocking())
        found: list[tuple[dict[str, str], LogReader]] = []
        beside = closing.enter_context(open_clickhouse(settings.clickhouse()))
        _insist(pulse, lambda: found.append(_log_reader(settings, beside)))
        ids, reader = found[0]
        folding = Folding(reader, closing.enter_context(open_blocking()))
        datadir = closing.enter_context(tempfile.TemporaryDirectory(prefix="tiendo-alerts-"))
        pulse.starting = None
        code = asyncio.run(
            _run(settings, clock, letters, channels, database, kafka[0], blocking, datadir, pulse, ids, folding)
        )
    # Threads of clients that lost their broker may linger; everything that matters is closed.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def _run(
    settings: AlertSettings,
    clock: Clock,
    letters: Letters,
    channels: Channels,
    database: ClickHouse,
    kafka: Publisher,
    blocking: Blocking,
    datadir: str,
    pulse: Pulse,
    ids: dict[str, str],
    folding: Folding,
) -> int:
    async with AsyncExitStack() as closing:
        warnings = WarningLog(database, kafka)
        mailer = await closing.enter_async_context(open_mailer(_relay(settings)))
        delivery = Delivery(
            warnings=warnings,
            channels={**channels.named, EMAIL: EmailChannel(mailer, letters, sender=settings.alerts_mail_from)},
            clock=clock,
            waits=Waits(
                first=timedelta(seconds=settings.alerts_retry_first),
                longest=timedelta(seconds=settings.alerts_retry_longest),
            ),
            blocking=blocking,
            answer_url=_answer_urls(settings, clock).url,
            too_old=timedelta(days=settings.alerts_too_old),
        )
        closing.push_async_callback(delivery.close)
        watch = Watch(
            reader=FigureReader(database),
            afresh=Afresh(database),
            store=StandingStore(database),
            warnings=warnings,
            delivery=delivery,
            clock=clock,
            zone=settings.zone,
            patience=timedelta(seconds=settings.alerts_marks_patience),
            settle=timedelta(seconds=settings.alerts_settle),
            blocking=blocking,
            stillness=Stillness(database),
            codes=DayCodes(database),
        )
        posts = None
        if channels.alertmanager is not None:
            posts = AlertPosts(
                OpenWarnings(database, board_url=settings.board_url).alerts, channels.alertmanager, blocking
            )
        ending = Ending()
        app = make_app(
            settings.kafka(),
            datadir=datadir,
            interval=settings.alerts_interval,
            look=watch.look,
            post=watch.post,
            folds=folding,
            pulse=pulse,
            ending=ending,
            tell=posts.post if posts is not None else None,
            tell_every=channels.every,
        )
        return await serve(app, settings.kafka(), ids=ids, pulse=pulse, ending=ending)


def _channels(settings: AlertSettings) -> Channels:
    if settings.alerts_channels is None:
        return Channels()
    try:
        return read_channels(settings.alerts_channels)
    except ChannelsFault as wrong:
        for fault in wrong.faults:
            sys.stderr.write(f"TIENDO_ALERTS_CHANNELS: {settings.alerts_channels}: {fault}\n")
        sys.exit(2)


def _log_reader(settings: AlertSettings, database: ClickHouse) -> tuple[dict[str, str], LogReader]:
    ids = topic_ids(settings.kafka(), TOPICS)
    if ids is None or ids.keys() != set(TOPICS):
        raise Transient("the broker does not know the topics of warnings yet")
    return ids, LogReader(database, topic_id=ids[Topic.WARNINGS.value])


def _answer_urls(settings: AlertSettings, clock: Clock) -> AnswerUrls:
    keys = settings.answer_keys()
    return AnswerUrls(
        board=settings.board_url,
        signer=Signer(keys) if keys else None,
        lasts=timedelta(days=settings.answer_days),
        clock=clock,
    )


def _relay(settings: AlertSettings) -> SmtpAddress:
    password = settings.alerts_smtp_password
    return SmtpAddress(
        host=settings.alerts_smtp_host,
        port=settings.alerts_smtp_port,
        tls=settings.alerts_smtp_tls,
        ca_file=settings.alerts_smtp_ca_file,
        username=settings.alerts_smtp_username,
        password=password.get_secret_value() if password else None,
        timeout=settings.alerts_smtp_timeout,
    )


def _make_topics(settings: AlertSettings) -> None:
    shape = SHAPES[Topic.WARNINGS]
    ensure_topics(
        settings.kafka(),
        [TopicSpec(Topic.WARNINGS.value, shape.partitions, shape.config), TopicSpec(LEADER_TOPIC, 1)],
        replication=settings.kafka_replication,
    )


def _migrate(settings: AlertSettings) -> None:
    applied = migrate(settings.clickhouse())
    if applied:
        log.info("migrations applied: %s", ", ".join(applied))


def _insist(pulse: Pulse, call: Callable[[], None]) -> None:
    wait = 0.25
    while True:
        try:
            call()
        except Transient as fault:
            pulse.starting = str(fault)
            log.info("waiting: %s", fault)
            sleep(wait)
            wait = min(2 * wait, 5.0)
        else:
            return


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
