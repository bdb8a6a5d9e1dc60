"""What ends a connector, named after the duty that it imposes."""


class CannotGoOn(Exception):
    """Somebody has to change something first; the message says what. Nothing that was read is lost."""


class Stopped(Exception):
    """Asked to stop. What was not answered yet is sent again at the next start."""
