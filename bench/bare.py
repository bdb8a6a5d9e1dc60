"""The bare endpoint: the gateway's framework and server, reading the body and nothing else. ``python -m bench.bare PORT``."""

from __future__ import annotations

import sys

from fastapi import FastAPI, Request, Response

from services.infra.http.server import serve

app = FastAPI()


@app.post("/v1/events")
async def take(request: Request) -> Response:
    """Read the body; answer as the gateway answers a single event."""
    await request.body()
    return Response(b'{"accepted":1,"rejected":[]}', 202, media_type="application/json")


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), shutdown_s=5)
