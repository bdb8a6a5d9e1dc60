"""Chat and SMS gateways, over a hundred kinds of them, by Apprise: one short text per notice."""

from __future__ import annotations

import asyncio
import logging

import apprise

from services.alerts.adapters.channels.parcel import Parcel
from services.alerts.core.brief import brief
from services.core.warnings.warning_records import DeliveryFault

# It logs addresses of gateways, tokens and all.
for _chatty in ("apprise", "urllib3", "requests"):
    logging.getLogger(_chatty).setLevel(logging.CRITICAL)


class Gateway:
    """Sends short texts to what one of Apprise's addresses stands for. Raises ValueError where it stands for nothing."""

    kind = "apprise"

    def __init__(self, url: str) -> None:
        asset = apprise.AppriseAsset(
            app_id="tiendo",  # goes into a header, which takes ASCII alone
            app_desc="Tiến Độ",
            app_url="",
            image_url_mask="",  # it would have receivers fetch pictures of Apprise's from elsewhere
            image_url_logo="",
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        self._gateway = apprise.Apprise(asset=asset)
        if not self._gateway.add(url) or len(self._gateway) == 0:
            raise ValueError("not an address that Apprise knows")

    async def send(self, parcel: Parcel) -> DeliveryFault | None:
        """Send the notice in its language. A gateway has no ids: a repetition is a second message."""
        text = brief(parcel.letter)
        return await self.say(text.title, text.body)

    async def say(self, title: str, body: str) -> DeliveryFault | None:
        """Send a text. Raises nothing that the gateway can cause."""
        return await asyncio.to_thread(self._say, title, body)

    async def rest(self) -> None:
        """Nothing is held."""

    def _say(self, title: str, body: str) -> DeliveryFault | None:
        try:
            taken = bool(self._gateway.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))
        except Exception:  # a plugin for each of a hundred gateways, and what each may raise
            taken = False
        return None if taken else DeliveryFault.GATEWAY_FAILED
