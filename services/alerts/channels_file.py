"""``channels.yaml``: the deployment's channels beside mail. Secrets stay where they are kept; the file names the places."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from schemas.common import Contract
from schemas.policy import ChannelName
from services.alerts.adapters.channels.alertmanager import Alertmanager
from services.alerts.adapters.channels.gateway import Gateway
from services.alerts.adapters.channels.parcel import Channel
from services.alerts.adapters.channels.webhook import Webhook
from services.alerts.core.notices import EMAIL
from services.alerts.core.webhook import secret_of
from services.infra.clock import machine_now

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LARGEST: Final = 65_536  # bytes of a file that holds a secret
_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"


class ChannelsFault(ValueError):
    """What is wrong with the file: one line per fault, none with a secret in it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class _Part(Contract):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Secret(_Part):
    """Where a secret is kept; `clear` is the secret itself, for those who insist on it."""

    env: str | None = Field(default=None, pattern=_VARIABLE)
    file: Path | None = None
    clear: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(place is not None for place in (self.env, self.file, self.clear)) != 1:
            raise ValueError("give one of `env`, `file` and `clear`")
        return self


class _Over(_Part):
    ca_file: Path | None = Field(default=None, description="PEM of the authority to trust; without it the system's.")
    timeout: float = Field(default=10.0, gt=0, le=120, description="Seconds for one attempt, all in all.")
    insecure: bool = Field(default=False, description="Plain http beyond this machine.")


class WebhookEntry(_Over):
    """A signed webhook. Several secrets while one is replaced: every one of them signs."""

    kind: Literal["webhook"]
    url: str | Secret
    secrets: tuple[Secret, ...] = Field(min_length=1, max_length=4)


class AppriseEntry(_Part):
    """A chat or SMS gateway, by one of Apprise's addresses."""

    kind: Literal["apprise"]
    url: Secret


class AlertmanagerEntry(_Over):
    """Where open warnings are posted. *every*: seconds between two posts."""

    url: str | Secret
    every: float = Field(default=60.0, ge=1, le=3600)
    username: str | None = None
    password: Secret | None = None
    token: Secret | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together")
        if self.token is not None and self.username is not None:
            raise ValueError("give `token` or `username` and `password`")
        return self


class ChannelsDocument(_Part):
    """The file."""

    channels: Mapping[ChannelName, Annotated[WebhookEntry | AppriseEntry, Field(discriminator="kind")]] = Field(
        default_factory=dict
    )
    alertmanager: AlertmanagerEntry | None = None


@dataclass(frozen=True, kw_only=True)
class Channels:
    """What the file describes, ready to be used; nothing is connected."""

    named: Mapping[str, Channel] = field(default_factory=dict)
    alertmanager: Alertmanager | None = None
    every: float = 60.0


def read_channels(path: Path, environment: Mapping[str, str] = os.environ) -> Channels:
    """Return the channels that *path* describes. Raises :class:`ChannelsFault` with everything that is wrong."""
    document = _document(path)
    opening = _Opening(path.parent, environment)
    named = {name: opening.channel(name, entry) for name, entry in document.channels.items()}
    alertmanager = opening.alertmanager(document.alertmanager) if document.alertmanager else None
    if opening.faults:
        raise ChannelsFault(opening.faults)
    return Channels(
        named={name: one for name, one in named.items() if one is not None},
        alertmanager=alertmanager,
        every=document.alertmanager.every if document.alertmanager else 60.0,
    )


def _document(path: Path) -> ChannelsDocument:
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise ChannelsFault([f"cannot be read: {fault.strerror}"]) from fault
    except UnicodeDecodeError as fault:
        raise ChannelsFault(["is not UTF-8"]) from fault
    except MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f"line {mark.line + 1}: " if mark is not None else ""
        raise ChannelsFault([f"{place}{fault.problem or 'this is not YAML'}"]) from None  # its text shows the line
    except YAMLError:
        raise ChannelsFault(["this is not YAML"]) from None
    try:
        return ChannelsDocument.model_validate({} if content is None else content)
    except ValidationError as invalid:
        raise ChannelsFault([_said(one["loc"], one["msg"]) for one in invalid.errors(include_input=False)]) from None


def _said(place: tuple[int | str, ...], message: str) -> str:
    steps = [str(one) for one in place if one not in ("Secret", "str", "[key]")]
    return f"{'.'.join(steps) or 'the file'}: {message.removeprefix('Value error, ')}"


class _Opening:
    """Turns entries into channels and gathers what is wrong."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.faults: list[str] = []
        self._folder = folder
        self._environment = environment

    def channel(self, name: str, entry: WebhookEntry | AppriseEntry) -> Channel | None:
        place = f"channels.{name}"
        if name == EMAIL:
            self.faults.append(f"{place}: mail is always there; call this one otherwise")
        if isinstance(entry, AppriseEntry):
            url = self._secret(f"{place}.url", entry.url)
            try:
                return Gateway(url) if url is not None else None
            except ValueError as fault:
                self.faults.append(f"{place}.url: {fault}")
                return None
        url = self._url(f"{place}.url", entry.url, insecure=entry.insecure)
        keys = [self._key(f"{place}.secrets.{at}", one) for at, one in enumerate(entry.secrets)]
        tls = self._tls(place, entry.ca_file)
        secrets = [key for key in keys if key is not None]
        if url is None:
            return None
        return Webhook(name=name, url=url, secrets=secrets, timeout=entry.timeout, now=machine_now, tls=tls)

    def alertmanager(self, entry: AlertmanagerEntry) -> Alertmanager | None:
        url = self._url("alertmanager.url", entry.url, insecure=entry.insecure)
        password = self._secret("alertmanager.password", entry.password) if entry.password else None
        token = self._secret("alertmanager.token", entry.token) if entry.token else None
        tls = self._tls("alertmanager", entry.ca_file)
        if url is None:
            return None
        return Alertmanager(
            url=url,
            login=(entry.username, password) if entry.username is not None and password is not None else None,
            token=token,
            timeout=entry.timeout,
            every=entry.every,
            now=machine_now,
            tls=tls,
        )

    def _key(self, place: str, secret: Secret) -> bytes | None:
        text = self._secret(place, secret)
        try:
            return secret_of(text) if text is not None else None
        except ValueError as fault:
            self.faults.append(f"{place}: {fault}")
            return None

    def _url(self, place: str, where: str | Secret, *, insecure: bool) -> str | None:
        text = where if isinstance(where, str) else self._secret(place, where)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not host or re.search(r"\s", text):
            self.faults.append(f"{place}: an address such as https://receiver.example.vn/hook")
        elif parts.username is not None or parts.password is not None:
            self.faults.append(f"{place}: no user or password in an address")
        elif parts.scheme == "http" and host not in _LOOPBACK and not insecure:
            self.faults.append(f"{place}: https, or `insecure: true` for plain http")
        else:
            return text
        return None

    def _secret(self, place: str, secret: Secret) -> str | None:
        if secret.clear is not None:
            return self._filled(place, secret.clear)
        if secret.env is not None:
            if secret.env not in self._environment:
                self.faults.append(f"{place}: {secret.env} is not set")
                return None
            return self._filled(place, self._environment[secret.env])
        assert secret.file is not None
        try:
            with (self._folder / secret.file).open("rb") as file:
                return self._filled(place, file.read(_LARGEST).decode("utf-8"))
        except OSError as fault:
            self.faults.append(f"{place}: {secret.file} cannot be read: {fault.strerror}")
        except UnicodeDecodeError:
            self.faults.append(f"{place}: {secret.file} is not UTF-8")
        return None

    def _filled(self, place: str, text: str) -> str | None:
        if not text.strip():
            self.faults.append(f"{place}: is empty")
            return None
        return text.strip()

    def _tls(self, place: str, ca_file: Path | None) -> ssl.SSLContext | None:
        try:
            return ssl.create_default_context(cafile=str(self._folder / ca_file)) if ca_file is not None else None
        except (OSError, ssl.SSLError):
            self.faults.append(f"{place}.ca_file: {ca_file} is no readable PEM")
            return None
