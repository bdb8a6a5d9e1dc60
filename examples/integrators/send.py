"""Two statements about one document, with the client that keeps events on disk until the gateway has taken them."""

import os
import sys
from datetime import datetime

from tiendo_client import Client

with Client(
    os.environ["TIENDO_GATEWAY"], os.environ["TIENDO_TOKEN"], "/office/so-y-te",
    spool=os.environ.get("TIENDO_SPOOL", "events.db"),
) as client:  # fmt: skip
    for step, at in (("entered", "2008-09-29T16:40:00+07:00"), ("adopted", "2008-09-30T09:10:00+07:00")):
        client.send(
            "document.handled",
            {"agency": "so-y-te", "id": "1205", "step": step, "day": at[:10]},
            agency="so-y-te",
            key=f"handling/1205/{step}",
            version=1,
            time=datetime.fromisoformat(at),
        )
    if not client.flush(60):
        sys.exit(f"not taken yet: {client.trouble}; what waits is sent by the next run")
    for one in client.refused():
        print(f"refused: {one.reason} at {one.pointer}: {one.detail}")
    print("waiting: 0")
    sys.exit(1 if client.refused() else 0)
