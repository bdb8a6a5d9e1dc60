"""The supervisor keeps real processes running and leaves none behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.supervisor import Child, Supervisor, back_off
from services.core.errors import Transient


def _child(tmp_path: Path, code: str, **more: object) -> Child:
    ready = tmp_path / "ready"
    return Child(
        name="child",
        command=(sys.executable, "-c", code),
        env=os.environ,
        healthy=ready.exists,
        **more,  # type: ignore[arg-type]
    )


_LIVES = "import pathlib,sys,time; pathlib.Path({!r}).touch(); time.sleep(60)"


def _gone(pid: int, within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_child_that_dies_is_started_again_and_mended(tmp_path: Path) -> None:
    """kill -9 of a child: it comes back, and what must follow a start has run for both starts."""
    mended: list[int] = []
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    supervisor.start(_child(tmp_path, _LIVES.format(str(tmp_path / "ready")), mend=lambda: mended.append(1)))
    try:
        first = supervisor.pid("child")
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + 10
        while supervisor.restarts("child") == 0 and time.monotonic() < until:
            time.sleep(0.05)
        assert supervisor.restarts("child") == 1
        assert supervisor.pid("child") != first
        assert len(mended) == 2
        assert any("exit code -9" in line for line in said)
    finally:
        supervisor.stop()
    assert _gone(supervisor.pid("child"))


def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The error carries the last line that the child wrote and where the rest is."""
    supervisor = Supervisor(tmp_path, print)
    with pytest.raises(Transient, match=r"exit code 3: no such luck"):
        supervisor.start(_child(tmp_path, "import sys; print('no such luck', file=sys.stderr); sys.exit(3)"))
    supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the guarantee is Linux's")
def test_no_child_outlives_its_supervisor(tmp_path: Path) -> None:
    """kill -9 of the supervisor itself ends its children too."""
    code = f"""
import os, sys, time, pathlib
from deploy.local.supervisor import Child, Supervisor
s = Supervisor(pathlib.Path({str(tmp_path)!r}), print)
ready = pathlib.Path({str(tmp_path / "ready")!r})
s.start(Child(name="child", command=(sys.executable, "-c", {_LIVES.format(str(tmp_path / "ready"))!r}),
              env=os.environ, healthy=ready.exists))
print(s.pid("child"), flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(pid)


def test_back_off_grows_to_a_bound() -> None:
    """Waits double from half a second to ten seconds."""
    assert [back_off(n) for n in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
