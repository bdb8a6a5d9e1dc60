"""Write the generated contracts: JSON Schemas and the AsyncAPI document, into ``schemas/json/``.

``python -m schemas.generate`` writes them, ``--check`` says which are stale and exits with 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec
from pydantic import TypeAdapter

from schemas import usage
from schemas.common import Contract, full_type
from schemas.directory import Directory
from schemas.envelope import CloudEvent
from schemas.events import CATALOGUE
from schemas.explanation import Explanation
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.rejected import REJECTED_RECORD
from schemas.revisions import REVISION
from schemas.sources import Sources
from schemas.topics import SHAPES, Topic
from schemas.warnings import WARNING_RECORD
from schemas.webhook import WEBHOOK_MESSAGE

FOLDER = Path(__file__).parent / "json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(short: str) -> dict[str, Any]:
    """Return the JSON Schema of a whole inbound event of type *short* (structured mode)."""
    envelope = CloudEvent.model_json_schema()
    data = CATALOGUE[short].model_json_schema()
    definitions = data.pop("$defs", {})
    envelope["properties"]["type"] = {"const": full_type(short)}
    envelope["properties"]["data"] = data
    envelope["title"] = full_type(short)
    envelope["description"] = CATALOGUE[short].__doc__ or ""
    return {"$schema": _DIALECT, **envelope, "$defs": definitions}


def normalised_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``usage.events.v1`` carries."""
    (schema,), components = msgspec.json.schema_components([usage.NormalisedEvent], ref_template="#/$defs/{name}")
    return {"$schema": _DIALECT, "title": "NormalisedEvent", **schema, "$defs": components}


def _model(model: type[Contract]) -> dict[str, Any]:
    return {"$schema": _DIALECT, **model.model_json_schema()}


def _adapter(adapter: TypeAdapter[Any], title: str) -> dict[str, Any]:
    return {"$schema": _DIALECT, "title": title, **adapter.json_schema()}


_CARRIES: dict[Topic, tuple[str, str, str]] = {
    Topic.EVENTS: ("normalised-event.json", usage.SINGLE_CONTENT_TYPE, "agency"),
    Topic.INBOX: ("event.json", usage.SINGLE_CONTENT_TYPE, "as the integrator likes"),
    Topic.REJECTED: ("rejected-record.json", "application/json", "source"),
    Topic.PLANS: ("revision.json", "application/json", "kind/id/revision"),
    Topic.WARNINGS: ("warning-record.json", "application/json", "plan/agency"),
}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of all topics."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic, (schema, content_type, key) in _CARRIES.items():
        name = topic.name.lower()
        messages[name] = {
            "contentType": content_type,
            "payload": {"$ref": f"./{schema}"},
            "bindings": {"kafka": {"key": {"type": "string", "description": key}}},
        }
        if topic is Topic.EVENTS:
            messages["events_batch"] = {
                "contentType": usage.BATCH_CONTENT_TYPE,
                "description": "Several events of one agency in one record; told from single ones by content-type.",
                "payload": {"type": "array", "items": {"$ref": f"./{schema}"}},
            }
        carried = [name, "events_batch"] if topic is Topic.EVENTS else [name]
        shape = SHAPES[topic]
        channels[name] = {
            "address": topic.value,
            "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in carried},
            "bindings": {"kafka": {"partitions": shape.partitions, "topicConfiguration": shape.config}},
        }
        operations[f"send_{name}"] = {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tiến Độ",
            "version": "1",
            "description": "Topics of Tiến Độ. Integrators post events over HTTP or write CloudEvents to the inbox.",
            "license": {"name": "Apache-2.0"},
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def documents() -> dict[str, dict[str, Any]]:
    """Return file name → document for everything generated."""
    result = {f"events/{short}.json": event_schema(short) for short in CATALOGUE}
    result |= {
        "event.json": {
            "$schema": _DIALECT,
            "title": "Event",
            "oneOf": [{"$ref": f"./events/{short}.json"} for short in CATALOGUE],
        },
        "normalised-event.json": normalised_schema(),
        "plan.json": _model(Plan),
        "directory.json": _model(Directory),
        "sources.json": _model(Sources),
        "policy.json": _model(Policy),
        "revision.json": _adapter(REVISION, "Revision"),
        "rejected-record.json": _adapter(REJECTED_RECORD, "RejectedRecord"),
        "warning-record.json": _adapter(WARNING_RECORD, "WarningRecord"),
        "webhook-message.json": _adapter(WEBHOOK_MESSAGE, "WebhookMessage"),
        "explanation.json": _model(Explanation),
        "asyncapi.json": asyncapi(),
    }
    tags = {member.__struct_config__.tag for member in get_args(usage.NormalisedEvent)}
    if tags != {full_type(short) for short in (*CATALOGUE, "sandboxed")}:
        raise SystemExit("schemas/usage.py and schemas/events.py do not list the same types")
    return result


def render(document: dict[str, Any]) -> str:
    """Return the file's text: stable order, readable, Vietnamese left as it is."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Write or check; return the exit code."""
    wanted = {FOLDER / name: render(document) for name, document in documents().items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    extra = [path for path in FOLDER.rglob("*.json") if path not in wanted]
    if "--check" in sys.argv[1:]:
        for path in [*stale, *extra]:
            print(f"stale: {path.relative_to(FOLDER.parent.parent)}")
        if stale or extra:
            print("run `make generate` and commit what it writes")
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(FOLDER.parent.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
