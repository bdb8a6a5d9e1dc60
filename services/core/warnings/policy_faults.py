"""A policy checked for sense, as a whole and against its plan and directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.directory import Agency, Directory
from schemas.plan import Plan
from schemas.policy import ABOVE, Threshold
from services.core.findings import Finding, Path, duplicates, entries, meant, some_of, unless_known
from services.core.scope import targets_of

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANK: Final = {"info": 1, "warning": 2, "critical": 3}
_VERDICTS: Final = ("at-risk", "behind", "missed")
_ONE_WEEK: Final = 7


def policy_findings(policy: Mapping[str, Any], plan: Plan | None, directory: Directory | None) -> list[Finding]:
    """Return the faults of *policy* as written, against *plan* and *directory*; what is None is not checked against."""
    return list(_Policy(policy, plan, directory).findings())


class _Policy:
    def __init__(self, policy: Mapping[str, Any], plan: Plan | None, directory: Directory | None) -> None:
        self.policy = policy
        self.plan = plan
        self.directory = directory

    def findings(self) -> Iterator[Finding]:
        if self.plan is not None and isinstance(self.policy.get("plan"), str) and self.policy["plan"] != self.plan.plan:
            known = self.plan.plan
            yield Finding(
                ("plan",),
                f"unknown plan {self.policy['plan']!r}",
                meant(self.policy["plan"], [known]) or f"known is {known!r}",
            )
        yield from self._thresholds()
        yield from self._levels()
        yield from self._working_time()
        yield from self._maintenance()
        for at, route in entries(self.policy, "routes"):
            if isinstance(route, Mapping):
                yield from self._match(("routes", at, "match"), route.get("match"))
                named = [(("routes", at, "channels", n), one) for n, one in entries(route, "channels")]
                yield from duplicates(named, "channel")

    def _thresholds(self) -> Iterator[Finding]:
        written = [(at, one) for at, one in entries(self.policy, "thresholds") if isinstance(one, Mapping)]
        for at, one in written:
            graver = [other for _, other in written if _rank(other) > _rank(one) > 0 and _at_least_as_easy(other, one)]
            if graver:
                severity = graver[0].get("severity")
                yield Finding(("thresholds", at), f"never seen: whatever meets it is {severity} already", warning=True)
        if self.plan is not None and written and not any(_meets_behind(one, self.plan) for _, one in written):
            text = f"an agency can be behind, by {self.plan.behind_after} days or more, and never be warned"
            yield Finding(("thresholds",), text, "add `{severity: warning, verdict: behind}`", warning=True)

    def _levels(self) -> Iterator[Finding]:
        if self.plan is None or self.directory is None:
            return
        agencies = {one.id: one for one in self.directory.agencies}
        judged = {
            agency
            for indicator in self.plan.indicators
            for agency, target in targets_of(self.directory, indicator).items()
            if target is not None
        }
        for at, step in entries(self.policy, "levels"):
            role = step.get("to") if isinstance(step, Mapping) else None
            if role in ABOVE:
                without = sorted(one for one in judged if not _above(agencies, one, role))
                if without:
                    text = (
                        f"nobody at or above {some_of(without)} has the role {role!r}, so that no digest tells of them"
                    )
                    yield Finding(("levels", at, "to"), text, "give an agency above a contact with it", warning=True)
            elif role in ("contact", "head"):
                bare = sorted(one for one in judged if not _in_office(agencies[one]))
                if bare and at == 0:
                    text = f"{some_of(bare)} has no head and no contact: operations are told instead"
                    yield Finding(("levels", at, "to"), text, warning=True)

    def _working_time(self) -> Iterator[Finding]:
        working = self.policy.get("working_time")
        if not isinstance(working, Mapping) or self.directory is None:
            return
        named = [one for _, one in entries(working, "days") if one in _DAYS]
        if named and not any(one in _DAYS[:5] for one in named) and not self.directory.holidays:
            yield Finding(("working_time", "days"), "mails go out at weekends alone", warning=True)

    def _maintenance(self) -> Iterator[Finding]:
        spans: list[tuple[Any, Any, Any]] = []
        for at, window in entries(self.policy, "maintenance"):
            if not isinstance(window, Mapping):
                continue
            yield from self._match(("maintenance", at, "match"), window.get("match"))
            first, last = _moment(window.get("from")), _moment(window.get("until"))
            if first is None or last is None:
                continue
            if (last - first).days > _ONE_WEEK:
                text = f"nobody is told for {(last - first).days} days"
                yield Finding(("maintenance", at, "until"), text, "a silence has an author and a reason", warning=True)
            match = window.get("match")
            if any(begin < last and first < end and match == other for begin, end, other in spans):
                yield Finding(("maintenance", at), "overlaps an earlier one with the same `match`", warning=True)
            spans.append((first, last, match))

    def _match(self, path: Path, match: Any) -> Iterator[Finding]:
        if not isinstance(match, Mapping):
            return
        known: dict[str, tuple[str, Sequence[str]]] = {}
        if self.directory is not None:
            known |= {
                "agencies": ("agency", [one.id for one in self.directory.agencies]),
                "groups": ("group", list(self.directory.groups)),
                "feeds": ("feed", [one.id for one in self.directory.feeds]),
            }
        if self.plan is not None:
            known["indicators"] = ("indicator", [one.id for one in self.plan.indicators])
        for field, (what, names) in known.items():
            for at, name in entries(match, field):
                yield from unless_known((*path, field, at), what, name, names)
        lags = [field for field in ("agencies", "groups", "indicators", "severities") if match.get(field)]
        if match.get("feeds") and lags:
            text = f"with `feeds` warnings about feeds alone are meant, so `{lags[0]}` leaves nothing"
            yield Finding((*path, lags[0]), text, "write two of them")


def _rank(threshold: Mapping[str, Any]) -> int:
    severity = threshold.get("severity")
    return _RANK.get(severity, 0) if isinstance(severity, str) else 0


def _at_least_as_easy(one: Mapping[str, Any], than: Mapping[str, Any]) -> bool:
    """Return whether whatever meets *than* meets *one*: every condition of *one* is one of *than*, and no harder there."""
    conditions = [field for field in Threshold.model_fields if field != "severity" and one.get(field) is not None]
    return bool(conditions) and all(_no_harder(field, one[field], than.get(field)) for field in conditions)


def _no_harder(field: str, one: Any, than: Any) -> bool:
    if than is None:
        return False
    if field == "verdict":
        return one in _VERDICTS and than in _VERDICTS and _VERDICTS.index(one) <= _VERDICTS.index(than)
    try:
        return bool(one <= than) if isinstance(one, int) and isinstance(than, int) else bool(one == than)
    except TypeError:
        return False


def _meets_behind(threshold: Mapping[str, Any], plan: Plan) -> bool:
    """Return whether every day whose verdict is behind meets *threshold*."""
    others = [field for field in ("points", "forecast_late") if threshold.get(field) is not None]
    verdict, days = threshold.get("verdict"), threshold.get("days_behind")
    if others or verdict == "missed":
        return False
    return days is None or (isinstance(days, int) and days <= plan.behind_after)


def _above(agencies: Mapping[str, Agency], agency: str, role: str) -> bool:
    seen: set[str] = set()
    known = agencies.get(agency)
    while known is not None and known.id not in seen:
        if any(one.role == role for one in known.contacts):
            return True
        seen.add(known.id)
        known = agencies.get(known.parent) if known.parent is not None else None
    return False


def _in_office(agency: Agency) -> bool:
    return any(one.role in ("head", "contact") for one in agency.contacts)


def _moment(value: Any) -> datetime | None:
    """Return the moment that *value* states with an offset; None where it states none."""
    try:
        found = (
            value if isinstance(value, datetime) else datetime.fromisoformat(value) if isinstance(value, str) else None
        )
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
