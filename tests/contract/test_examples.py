"""The examples beside the contracts: each is what its name says."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from schemas.common import Contract, full_type
from schemas.directory import Directory
from schemas.events import CATALOGUE
from schemas.generate import event_schema
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.reasons import Reason
from schemas.sources import Sources
from schemas.usage import SINGLE_CONTENT_TYPE, decode, encode_one
from services.ingest.core.admission import Admission
from services.ingest.core.permission import Registry, registry_of
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"
NOW = datetime.fromisoformat("2008-10-01T08:00:00+07:00")
DOCUMENTS: dict[str, type[Contract]] = {"plan": Plan, "directory": Directory, "sources": Sources, "policy": Policy}
EVENTS = sorted(FOLDER.glob("*.*/*.json"))
FILES = sorted(path for kind in DOCUMENTS for path in (FOLDER / kind).glob("*.yaml"))


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(io.StringIO(path.read_text(encoding="utf-8")))


def _registry() -> Registry:
    directory = Directory.model_validate(_yaml(FOLDER / "directory" / "valid.yaml"))
    return registry_of([directory], [Sources.model_validate(_yaml(FOLDER / "sources" / "valid.yaml"))])


def _admission(path: Path) -> Admission:
    """Return the door as the source of the valid example beside *path* finds it."""
    registry = _registry()
    source = json.loads((path.parent / "valid.json").read_bytes())["source"]
    return Admission(
        permit=registry.permits[source],
        registry=registry,
        pseudonyms=Pseudonyms("k1", b"k" * 32),
        now=NOW,
        tolerance=timedelta(minutes=5),
    )


def _expected(path: Path) -> Reason | None:
    """Return the reason that the file's name states; None for a valid example."""
    told = path.stem.removeprefix("invalid-")
    return None if path.stem == "valid" else next(reason for reason in Reason if told.startswith(reason.value))


@pytest.mark.parametrize("short", CATALOGUE)
def test_every_type_has_examples(short: str) -> None:
    """Each event type has one valid and several invalid examples."""
    names = {path.stem for path in (FOLDER / short).glob("*.json")}
    assert "valid" in names
    assert len(names) > 3


@pytest.mark.parametrize("path", EVENTS, ids=_named)
def test_an_event_is_taken_or_refused_for_the_reason_in_its_name(path: Path) -> None:
    """The door takes the valid examples and gives the others the reason that their names state."""
    decision = _admission(path).admit(path.read_bytes())
    assert (decision.reason if isinstance(decision, Refusal) else None) == _expected(path)


@pytest.mark.parametrize("path", EVENTS, ids=_named)
def test_the_published_schema_takes_the_valid_examples(path: Path) -> None:
    """The generated JSON Schema agrees with the door about valid examples; it may be laxer about the others."""
    if _expected(path) is None:
        jsonschema.validate(json.loads(path.read_bytes()), event_schema(path.parent.name))


@pytest.mark.parametrize("short", CATALOGUE)
def test_a_normalised_example_survives_the_topic(short: str) -> None:
    """What the door makes of a valid example is read back from its record unchanged."""
    path = FOLDER / short / "valid.json"
    event = _admission(path).admit(path.read_bytes())
    assert not isinstance(event, Refusal)
    assert event.__struct_config__.tag == full_type(short)
    assert decode(encode_one(event), SINGLE_CONTENT_TYPE) == [event]


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_document_is_read_or_refused_as_its_name_says(path: Path) -> None:
    """Valid plans, directories, lists of sources and policies are read; the others are refused."""
    model = DOCUMENTS[path.parent.name]
    if path.stem == "valid":
        model.model_validate(_yaml(path))
    else:
        with pytest.raises(ValidationError):
            model.model_validate(_yaml(path))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_document_has_examples(kind: str) -> None:
    """Each document has one valid and several invalid examples."""
    names = {path.stem for path in (FOLDER / kind).glob("*.yaml")}
    assert "valid" in names
    assert len(names) > 3
