"""Long forms run only when they are asked for by their marker."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out of `make test`."""
    if "soak" in config.option.markexpr:
        return
    out = [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if not item.get_closest_marker("soak")]
