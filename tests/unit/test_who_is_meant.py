"""Whom a selector means: asked of one agency, or of all, it is the same answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import Directory, Selector
from services.core.scope import means, selected
from tests import alerts_world as world

NAMES = [f"a-{n}" for n in range(6)]
GROUPS = ["departments", "districts"]
names = st.lists(st.sampled_from([*NAMES, "nobody"]), max_size=3, unique=True)
groups = st.lists(st.sampled_from([*GROUPS, "none"]), max_size=2, unique=True)
selectors = st.builds(
    Selector.model_construct, all=st.booleans(), groups=groups.map(tuple), agencies=names.map(tuple)
)  # fmt: skip


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """Directories of six agencies whose parents are any of them: above, below, in rings, or not there at all."""
    base = world.directory()
    agencies = []
    for name in NAMES:
        changes: dict[str, Any] = {
            "id": name, "groups": tuple(draw(st.lists(st.sampled_from(GROUPS), max_size=2, unique=True))),
            "parent": draw(st.none() | st.sampled_from([*NAMES, "nobody"])),
        }  # fmt: skip
        agencies.append(base.agencies[0].model_copy(update=changes))
    return base.model_copy(update={"agencies": tuple(agencies)})


@given(directories(), selectors, st.sampled_from([*NAMES, "nobody"]))
def test_asked_of_one_agency_or_of_all_it_is_the_same(directory: Directory, selector: Selector, agency: str) -> None:
    """Groups, descendants however deep, all; and agencies that the directory does not have."""
    assert means(directory, agency)(selector) == (agency in selected(directory, selector))
