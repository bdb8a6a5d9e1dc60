"""A client for systems that publish usage events to a Tiến Độ gateway: on disk first, then sent, and sent again until taken.

It needs httpx and Python's standard library, and nothing else of this project::

    with Client("https://gateway.example", token, "/office/so-y-te", spool="events.db") as client:
        client.send("document.handled", {"agency": "so-y-te", "id": "1205", "step": "entered", "day": "2008-09-29"},
                    agency="so-y-te", key="handling/1205/entered", version=1)
"""

from tiendo_client.client import Client, event_id
from tiendo_client.spool import Refused, SpoolFull, SpoolInUse

__all__ = ["Client", "Refused", "SpoolFull", "SpoolInUse", "event_id"]
