"""``tiendo channels``: a part of the command itself, though it lives with the service that sends."""

from services.alerts.channels_cli import channels_app

__all__ = ["channels_app"]
