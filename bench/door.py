"""The gateway over HTTP on the embedded broker: single posts beside a bare endpoint, batches beside pydantic parsing."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
from pydantic import TypeAdapter

from bench.measure import Result, rate
from schemas.envelope import CloudEvent
from tests.fixtures.gateway import BATCH, TOKEN, Gateway, event, prepare
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu

_RUNS: Final = 5
_SECONDS: Final = 6
_BATCH: Final = 500
_ABREAST: Final = {"single": 128, "batch": 8}
#: Mails of so many people, so that caches of addresses do not decide.
_PEOPLE: Final = 2000
_SCRIPT: Final = """
local bodies = {%s}
local requests = {}
local at = 0
init = function()
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer %s"
  wrk.headers["Content-Type"] = "%s"
  for place, body in ipairs(bodies) do requests[place] = wrk.format(nil, "/v1/events", nil, body) end
end
request = function()
  at = at %% #requests + 1
  return requests[at]
end
"""


def bench() -> list[Result]:
    """Measure both, the contestants by turns. `wrk` (Debian's package) makes the load on the other core."""
    if shutil.which("wrk") is None:
        sys.exit("bench gateway: wrk is missing; install it: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiendo-bench-")))
        gateway = stack.enter_context(_gateway(folder))
        bare = stack.enter_context(_bare())
        singles = [json.dumps(_mail(number)) for number in range(_PEOPLE)]
        batches = [
            json.dumps([_mail(start + number) for number in range(_BATCH)]) for start in range(0, 20 * _BATCH, _BATCH)
        ]
        single = _script(folder / "single.lua", singles, "application/cloudevents+json")
        batch = _script(folder / "batch.lua", batches, BATCH)
        parser = TypeAdapter(list[CloudEvent])

        def parsing() -> int:
            return sum(len(parser.validate_json(body)) for body in batches)

        results = _by_turns(
            ("gateway_single_vs_bare", "requests/s"),
            ("gateway_single_requests_s", lambda: _load(gateway.port, single, "single")),
            ("bare_endpoint_requests_s", lambda: _load(bare, single, "single")),
        )
        return results + _by_turns(
            ("gateway_batch_vs_parsing", "events/s"),
            ("gateway_batch_events_s", lambda: _BATCH * _load(gateway.port, batch, "batch")),
            ("pydantic_parsing_alone_events_s", lambda: rate(parsing)),
        )


def memory(minutes: float = 10) -> list[Result]:
    """Hold the gateway under single posts and batches by turns, and compare what it holds at the end with after a minute."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tiendo-bench-")))
        gateway = stack.enter_context(_gateway(folder))
        single = _script(
            folder / "single.lua", [json.dumps(_mail(n)) for n in range(_PEOPLE)], "application/cloudevents+json"
        )
        batch = _script(folder / "batch.lua", [json.dumps([_mail(n) for n in range(_BATCH)])], BATCH)
        until = time.monotonic() + minutes * 60
        held = []
        while time.monotonic() < until:
            # Batches at full speed would fill the embedded broker, which keeps everything in memory.
            _load(gateway.port, single, "single", seconds=25)
            _load(gateway.port, batch, "batch", seconds=1)
            held.append(_resident(gateway.pid))
            print(f"  gateway holds {held[-1] / 2**20:.0f} MiB", flush=True)
    return [
        Result("gateway_memory_after_start_mib", round(held[1] / 2**20), "MiB", 1),
        Result("gateway_memory_at_the_end_mib", round(held[-1] / 2**20), "MiB", 1),
    ]


def _by_turns(
    names: tuple[str, str], a: tuple[str, Callable[[], float]], b: tuple[str, Callable[[], float]]
) -> list[Result]:
    a[1]()
    b[1]()
    pairs = [(a[1](), b[1]()) for _ in range(_RUNS)]
    return [
        Result(a[0], round(statistics.median(x for x, _ in pairs)), names[1], _RUNS),
        Result(b[0], round(statistics.median(y for _, y in pairs)), names[1], _RUNS),
        Result(names[0], round(statistics.median(x / y for x, y in pairs), 3), "ratio", _RUNS),
    ]


def _mail(number: int) -> dict[str, object]:
    address = f"can.bo{number % _PEOPLE}@thainguyen.example"
    return event(id=f"mail/{number}", data={"address": address, "day": "2008-09-30", "action": "sent"})


def _script(path: Path, bodies: list[str], kind: str) -> Path:
    path.write_text(_SCRIPT % (",\n".join(f"[==[{body}]==]" for body in bodies), TOKEN, kind), encoding="utf-8")
    return path


def _load(port: int, script: Path, kind: str, seconds: int = _SECONDS) -> float:
    """Return the requests answered 2xx per second."""
    command = ["wrk", "-t1", f"-c{_ABREAST[kind]}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    refused = re.search(r"(Non-2xx[^\n]*|Socket errors[^\n]*)", said)
    if refused:
        sys.exit(f"bench gateway: not every request was answered well: {refused[0]}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


@contextmanager
def _gateway(folder: Path) -> Iterator[Gateway]:
    broker = Tansu(folder / "tansu")
    broker.start()
    try:
        prepare(broker.address)
        gateway = Gateway(broker.address, folder)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()
    finally:
        broker.stop()


@contextmanager
def _bare() -> Iterator[int]:
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)], env=os.environ)
    try:
        for _ in range(200):
            try:
                httpx.post(f"http://127.0.0.1:{port}/v1/events", content=b"{}")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield port
    finally:
        running.terminate()
        running.wait(10)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10  # type: ignore[index]
