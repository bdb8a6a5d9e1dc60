"""The valid example of each event type, and a door that takes all of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.events import CATALOGUE
from services.ingest.core.admission import Admission
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.pseudonyms import Pseudonyms

_FOLDER = Path(__file__).parents[3] / "schemas" / "examples"
NOW = datetime(2008, 10, 1, 1, tzinfo=UTC)
PSEUDONYMS = Pseudonyms("k1", b"k" * 32)


def example(short: str) -> dict[str, Any]:
    """Return the valid example of a type, a new copy each time."""
    whole: dict[str, Any] = json.loads((_FOLDER / short / "valid.json").read_bytes())
    return whole


def admission(source: str, *, pseudonyms: Pseudonyms = PSEUDONYMS, now: datetime = NOW) -> Admission:
    """Return a door at which *source* may state everything about the agencies of the examples."""
    agencies = frozenset({"so-y-te", "tinh-thai-nguyen"})
    return Admission(
        permit=Permit(source, frozenset(CATALOGUE), agencies),
        registry=Registry(agencies=agencies | {"so-xay-dung"}, schemes=frozenset({"personnel"})),
        pseudonyms=pseudonyms,
        now=now,
        tolerance=timedelta(minutes=5),
    )


def raw(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
