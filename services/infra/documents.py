"""Plans, directories, lists of sources, policies as people write them: YAML in, a document out, or every fault in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.sources import Sources
from services.core.directory_faults import directory_findings, sources_findings
from services.core.findings import Finding, Path, meant
from services.core.plan_faults import plan_findings
from services.core.warnings.policy_faults import policy_findings
from services.infra.public_holidays import public_holidays

Document = TypeVar("Document", bound=BaseModel)

#: What only a document of the kind has, what it is called, and the command for it.
_KINDS: Final[Mapping[type[BaseModel], tuple[str, str, str]]] = {
    Plan: ("indicators", "a plan", "plan"),
    Directory: ("agencies", "a directory", "agencies"),
    Sources: ("entries", "a list of sources", "sources"),
    Policy: ("policy", "a policy", "policy"),
}
_MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong where: *line* and *column* count from 1; a warning does not keep the document from being published."""

    path: Path
    line: int
    column: int
    message: str
    hint: str | None = None
    warning: bool = False

    def text(self, name: str) -> str:
        """Return the fault as one line, the place first, as editors and compilers write it."""
        kind = "warning: " if self.warning else ""
        return f"{name}:{self.line}:{self.column}: {kind}{self.message}" + (f" — {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Document]):
    """A document with its faults, in the order of the text; None where a fault keeps it from being one."""

    document: Document | None
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> bool:
        """Whether there is more than warnings."""
        return any(not fault.warning for fault in self.faults)


def load_plan(text: str, directory: Directory | None) -> Loaded[Plan]:
    """Return the plan that *text* states, checked against *directory*; without one, names in it go unchecked."""
    return _load(text, Plan, lambda data: plan_findings(data, directory, public_holidays))


def load_directory(text: str) -> Loaded[Directory]:
    """Return the directory that *text* states."""
    return _load(text, Directory, lambda data: [*directory_findings(data), *_zone(data)])


def load_sources(text: str, directories: Iterable[Directory] = ()) -> Loaded[Sources]:
    """Return the list of sources that *text* states, checked against *directories*; without any, agencies go unchecked."""
    known = list(directories)
    return _load(text, Sources, lambda data: sources_findings(data, known))


def load_policy(text: str, plan: Plan | None = None, directory: Directory | None = None) -> Loaded[Policy]:
    """Return the policy that *text* states, checked against *plan* and *directory*; without one, names in it go unchecked."""
    return _load(text, Policy, lambda data: policy_findings(data, plan, directory))


def stated(text: str, field: str) -> str | None:
    """Return what *text* states for a field at its top, whatever else is wrong with it; None where that is no text."""
    try:
        data = _Reader().read(text)
    except YAMLError:
        return None
    value = data.get(field) if isinstance(data, dict) else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, and the key before it."""

    value: tuple[int, int]
    key: tuple[int, int]


class _Reader:
    """Turns YAML nodes into plain values and remembers where each stood."""

    def __init__(self) -> None:
        self.yaml = YAML(typ="safe", pure=True)
        self.places: dict[Path, _Place] = {}
        self.faults: list[Fault] = []

    def read(self, text: str) -> Any:
        node = self.yaml.compose(text)
        if node is None:
            self.faults.append(Fault((), 1, 1, "the document is empty"))
            return None
        return self._value(node, (), _start(node), frozenset())

    def _value(self, node: Node, path: Path, key: tuple[int, int], above: frozenset[int]) -> Any:
        self.places[path] = _Place(_start(node), key)
        if id(node) in above:
            self.faults.append(Fault(path, *_start(node), "an alias that holds itself"))
            return None
        inside = above | {id(node)}
        if isinstance(node, MappingNode):
            return self._mapping(node, path, inside)
        if isinstance(node, SequenceNode):
            return [self._value(one, (*path, at), _start(one), inside) for at, one in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path, above: frozenset[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                several = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                for one in several:
                    value = self._value(one, path, _start(key_node), above)
                    merged = (value if isinstance(value, dict) else {}) | merged
                continue
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            if key in found:
                self.faults.append(Fault((*path, key), *_start(key_node), f"`{key}` is given twice"))
            found[key] = self._value(value_node, (*path, key), _start(key_node), above)
        self.places[path] = _Place(_start(node), self.places[path].key)
        return merged | found

    def _scalar(self, node: Node, path: Path) -> Any:
        try:
            return self.yaml.constructor.construct_object(node, deep=True)
        except (ValueError, YAMLError) as fault:
            self.faults.append(Fault(path, *_start(node), f"unreadable value {node.value!r}: {fault}"))
            return node.value


def _start(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _load(
    text: str, model: type[Document], cross_check: Callable[[Mapping[str, Any]], list[Finding]]
) -> Loaded[Document]:
    reader = _Reader()
    try:
        data = reader.read(text)
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = ", ".join(part for part in (fault.context, fault.problem) if part)
        return Loaded(None, (Fault((), line, column, f"this is not YAML: {said}"),))
    except YAMLError as fault:
        return Loaded(None, (Fault((), 1, 1, f"this is not YAML: {fault}"),))
    faults = list(reader.faults)
    document: Document | None = None
    if isinstance(data, dict):
        if stranger := _of_another_kind(data, model):
            return Loaded(None, (stranger,))
        try:
            document = model.model_validate(data)
        except ValidationError as invalid:
            errors = [error for error in invalid.errors(include_url=False) if not _follows(error)]
            faults += [_contract_fault(error, reader.places, model) for error in errors]
        said_already = {fault.path for fault in faults}
        for finding in cross_check(data):
            if finding.path not in said_already:
                faults.append(_placed(finding, reader.places))
    elif data is not None:
        faults.append(Fault((), 1, 1, "the document must be a mapping of fields"))
    faults.sort(key=lambda fault: (fault.line, fault.column, fault.message))
    loaded = Loaded(document, tuple(dict.fromkeys(faults)))
    return Loaded(None, loaded.faults) if loaded.refused else loaded


def _of_another_kind(data: Mapping[str, Any], model: type[BaseModel]) -> Fault | None:
    """Return the one fault of a directory given as a plan, and the like; a fault for each field would hide it."""
    field, name, _ = _KINDS[model]
    for other, theirs, command in _KINDS.values():
        if other in data and field not in data:
            return Fault((), 1, 1, f"this is {theirs}, not {name}", f"`tiendo {command} check`")
    return None


def _placed(finding: Finding, places: Mapping[Path, _Place]) -> Fault:
    path = finding.path
    while path not in places:
        path = path[:-1]
    return Fault(finding.path, *places[path].value, finding.message, finding.hint, finding.warning)


def _follows(error: Any) -> bool:
    """Return whether a list is called too short only because its entries have faults of their own."""
    return bool(error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"])


def _contract_fault(error: Any, places: Mapping[Path, _Place], model: type[BaseModel]) -> Fault:
    """Return the fault behind one of pydantic's errors; tags of unions in its location are no part of the document."""
    path: Path = ()
    for step in error["loc"]:
        if (*path, step) in places:
            path = (*path, step)
    place, kind = places[path], error["type"]
    name = str(error["loc"][-1]) if error["loc"] else ""
    context = error.get("ctx", {})
    message, hint, at = str(error["msg"]), None, place.value
    match kind:
        case "missing":
            message = f"`{name}` is missing"
        case "extra_forbidden":
            # At the top only the document's own fields can be meant; and never the one that is not known here.
            names = _field_names(model) if len(path) > 1 else _own_names(model)
            message, hint, at = f"unknown field `{name}`", meant(name, names - {name}), place.key
        case "value_error":
            message = message.removeprefix("Value error, ")
            if isinstance(error["input"], str | int | float):
                message = f"{error['input']!r}: {message}"
        case "string_pattern_mismatch":
            message = f"{error['input']!r} is not written as it must be: {context.get('pattern')}"
            if context.get("pattern", "").startswith("^[a-z0-9]+(?:"):
                message = f"{error['input']!r} is no identifier"
                hint = "lower-case letters and digits without diacritics, joined by `-` or `.`"
        case "literal_error" | "union_tag_invalid" | "enum":
            wanted = str(context.get("expected") or context.get("expected_tags"))
            given = error["input"].get("kind") if isinstance(error["input"], dict) else error["input"]
            message = f"{given!r} is none of {wanted}"
            hint = meant(str(given), [word.strip(" '") for word in wanted.replace(" or ", ",").split(",")])
            if kind == "union_tag_invalid" and (*path, "kind") in places:
                path = (*path, "kind")
                at = places[path].value
        case "too_short":
            message = f"`{name}` needs at least {context['min_length']} entries, has {context['actual_length']}"
        case "string_type":
            message, hint = f"{error['input']!r} must be a text", "put it in quotes"
        case _:
            message = message[:1].lower() + message[1:]
    return Fault(path, *at, message, hint)


@cache
def _field_names(model: type[BaseModel]) -> frozenset[str]:
    """Return every field's name as written, of *model* and of all contracts within it."""
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))


def _own_names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(model.model_json_schema(by_alias=True).get("properties", {}))


def _zone(directory: Mapping[str, Any]) -> list[Finding]:
    zone = directory.get("zone")
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return [Finding(("zone",), f"unknown time zone {zone!r}", "a name such as 'Asia/Ho_Chi_Minh'")]
    return []
