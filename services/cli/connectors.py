"""Connectors and ``tiendo emit``: a part of the command itself, though they live with the gateway."""

from services.ingest.connectors.cli import connect_app, emit

__all__ = ["connect_app", "emit"]
