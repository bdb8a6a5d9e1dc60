"""The answer page: GET shows and changes nothing; a POST is asked about once more, and a second one records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

from services.board.answering import Answers, Exhausted
from services.board.core.answer_page import confirm_intro, page_of, restated
from services.board.core.answering import Choice, Fault, Submission, packed, read_fields, unpacked
from services.board.core.matter import Matter
from services.board.core.page_words import ENGLISH, VIETNAMESE, PageWords
from services.board.core.shown import Frame
from services.board.http.forms import BadForm, TooLarge, read_form
from services.board.metrics import BoardMetrics
from services.board.reading import read_matter
from services.core.errors import Rejected, Transient
from services.core.warnings.answer_link import AnswerLink
from services.core.warnings.answers import latest_promise
from services.infra.answer_links import Signer
from services.infra.clickhouse.asking import Database
from services.infra.clock import Clock

_FOLDER: Final = Path(__file__).parents[1] / "templates"
_STYLE: Final = "/static/answer.css"
_FORM_LASTS: Final = timedelta(hours=12)  # between looking at the confirmation and sending it
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, kw_only=True)
class AnswerPages:
    """What the pages are made with. *base*: the path under which a proxy shows the board, as ``/board``, or empty."""

    database: Database
    signer: Signer
    answers: Answers
    metrics: BoardMetrics
    clock: Clock
    zone: ZoneInfo
    base: str = ""

    def router(self) -> APIRouter:
        """Return the routes. Answers are pages, for links that are none and while the database is away too."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/answer/{token}", self._look, methods=["GET", "HEAD"])
        router.add_api_route("/answer/{token}", self._take, methods=["POST"])
        router.add_api_route(_STYLE, self._style, methods=["GET", "HEAD"])
        return router

    async def _style(self) -> Response:
        return Response(
            (_FOLDER / "answer.css").read_bytes(), media_type="text/css", headers={"Cache-Control": "max-age=300"}
        )

    async def _look(self, request: Request, token: str) -> Response:
        link = self._link(token)
        if link is None:
            return self._nothing_there()
        try:
            matter = await self._matter(link)
        except Transient:
            return self._away(request, link)
        if matter is None:
            return self._nothing_there()
        frame = self._frame(request, link, matter)
        receipt = self.signer.read_receipt(token, request.query_params.get("recorded", ""))
        recorded = ""
        if receipt is not None:
            count, at = receipt
            recorded = frame.words.recorded.format(count=count, at=frame.moment(datetime.fromtimestamp(at, UTC)))
        return self._page(token, matter, frame, recorded=recorded)

    async def _take(self, request: Request, token: str) -> Response:
        link = self._link(token)
        if link is None:
            return self._nothing_there()
        # A link cannot be guessed, so who posts from elsewhere was told it; still, nothing but our own page may.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return self._nothing_there(403)
        try:
            fields = await read_form(request)
        except TooLarge:
            return self._nothing_there(413)
        except BadForm:
            return self._nothing_there(400)
        try:
            matter = await self._matter(link)
        except Transient:
            return await self._kept(request, token, link, fields)
        if matter is None:
            return self._nothing_there()
        frame = self._frame(request, link, matter)
        if "form" in fields:
            return await self._record(token, matter, frame, fields["form"])
        sent = read_fields(fields, matter.answerable, earliest=frame.earliest, latest=frame.latest)
        if sent.faults:
            return self._page(token, matter, frame, sent=sent, status=422)
        if self.answers.used(matter, link.notice) + len(sent.choices) > self.answers.most:
            return self._page(token, matter, frame, status=429)
        return self._confirm(token, matter, frame, sent.choices)

    async def _record(self, token: str, matter: Matter, frame: Frame, form: str) -> Response:
        choices = self._choices(token, form)
        if choices is None:
            return self._changed(token, matter, frame)
        now = self.clock()
        try:
            new = await self.answers.record(choices, matter, frame, now)
        except Exhausted:
            return self._page(token, matter, frame, status=429)
        except Rejected:
            return self._changed(token, matter, frame)
        except Transient:
            self.metrics.answers.labels("not-recorded").inc(len(choices))
            return self._confirm(token, matter, frame, choices, failed=True)
        self.metrics.answers.labels("recorded").inc(new)
        self.metrics.answers.labels("repeated").inc(len(choices) - new)
        receipt = self.signer.receipt(token, [len(choices), int(now.timestamp())])
        where = f"{self._address(token, frame.language)}&recorded={quote(receipt)}"
        return RedirectResponse(where, 303, headers=HEADERS)

    def _choices(self, token: str, form: str) -> tuple[Choice, ...] | None:
        content = self.signer.read_form(token, form)
        if content is None:
            return None
        until, choices = content
        return unpacked(choices) if self.clock().timestamp() < until else None

    def _link(self, token: str) -> AnswerLink | None:
        return self.signer.read_link(token, self.clock())

    async def _matter(self, link: AnswerLink) -> Matter | None:
        return await self.database.ask(lambda it: read_matter(it, link))

    def _frame(self, request: Request, link: AnswerLink, matter: Matter | None) -> Frame:
        today = self.clock().astimezone(self.zone).date()
        tomorrow = today + timedelta(days=1)
        latest = latest_promise(matter.plan.deadline) if matter is not None else tomorrow
        wanted = request.query_params.get("lang")
        language = wanted if wanted in ("vi", "en") else link.language
        return Frame(link=link, language=language, earliest=tomorrow, latest=latest, zone=self.zone)

    def _address(self, token: str, language: str) -> str:
        return f"{self.base}/answer/{token}?lang={language}"

    def _page(
        self,
        token: str,
        matter: Matter,
        frame: Frame,
        *,
        sent: Submission | None = None,
        recorded: str = "",
        status: int = 200,
    ) -> Response:
        notice = frame.link.notice
        used = self.answers.used(matter, notice)
        most = frame.words.no_more.format(most=self.answers.most)
        page = page_of(
            matter,
            frame,
            recent=self.answers.recent(notice),
            filled=sent.filled if sent else None,
            faults=sent.faults if sent else None,
        )
        return self._render(
            "answer.html.j2",
            frame.words,
            status,
            page=page,
            recorded=recorded,
            exhausted=most if used >= self.answers.most or status == 429 else "",
            action=self._address(token, frame.language),
            switch=self._address(token, "vi" if frame.language == "en" else "en"),
        )

    def _changed(self, token: str, matter: Matter, frame: Frame) -> Response:
        return self._page(token, matter, frame, sent=Submission(faults={("", ""): Fault.CHANGED}), status=409)

    def _confirm(
        self, token: str, matter: Matter, frame: Frame, choices: tuple[Choice, ...], *, failed: bool = False
    ) -> Response:
        words, address = frame.words, self._address(token, frame.language)
        until = (self.clock() + _FORM_LASTS).timestamp()
        return self._render(
            "confirm.html.j2",
            words,
            503 if failed else 200,
            heading=words.not_recorded if failed else words.confirm_title,
            intro=words.not_recorded_more if failed else confirm_intro(matter, frame),
            restated=restated(matter, frame, choices),
            failed=failed,
            form=self.signer.form(token, [int(until), packed(choices)]),
            action=address,
            back=address,
            switch="",
        )

    async def _kept(self, request: Request, token: str, link: AnswerLink, fields: Mapping[str, str]) -> Response:
        # The database cannot be asked what was answered, but a form that we signed can be sent again as it is.
        form = fields.get("form", "")
        if self._choices(token, form) is None:
            return self._away(request, link)
        self.metrics.unanswered.inc()
        frame = self._frame(request, link, None)
        return self._render(
            "confirm.html.j2",
            frame.words,
            503,
            heading=frame.words.not_recorded,
            intro=frame.words.not_recorded_more,
            restated=(),
            failed=True,
            form=form,
            action=self._address(token, frame.language),
            back=self._address(token, frame.language),
            switch="",
        )

    def _away(self, request: Request, link: AnswerLink) -> Response:
        self.metrics.unanswered.inc()
        words = self._frame(request, link, None).words
        said = [_said(words.language, words.unavailable, words.unavailable_more)]
        return self._render("notice.html.j2", words, 503, said=said, title=words.unavailable, switch="")

    def _nothing_there(self, status: Literal[400, 403, 404, 413] = 404) -> Response:
        """Return the page for every link that is none: which of the reasons it is, is nobody's business."""
        said = [_said(one.language, one.no_link, one.no_link_more) for one in (VIETNAMESE, ENGLISH)]
        return self._render("notice.html.j2", VIETNAMESE, status, said=said, title=VIETNAMESE.no_link, switch="")

    def _render(self, template: str, words: PageWords, status: int, **values: Any) -> Response:
        text = _PAGES.get_template(template).render(
            values
            | {"words": words, "style": self.base + _STYLE, "title": values.get("title") or values.get("heading")}
        )
        headers = HEADERS | ({"Retry-After": "30"} if status == 503 else {})
        return Response(text, status, headers, media_type="text/html; charset=utf-8")


def _said(language: str, title: str, text: str) -> dict[str, str]:
    return {"language": language, "title": title, "text": text}


_PAGES: Final = Environment(
    loader=FileSystemLoader(str(_FOLDER)), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
