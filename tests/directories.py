"""Revisions of the small world's directory: its offices move, change groups, end, and pass codes on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from schemas.directory import Directory
from schemas.revisions import DirectoryRevision
from tests.aggregator_world import START, world_documents
from tests.usage_events import days, moments

_, DIRECTORY = world_documents()
FIRST_REVISION = DirectoryRevision(
    id="dir", revision=1, in_force_from=START, published=datetime(2008, 5, 20, tzinfo=UTC), document=DIRECTORY
)


def changed(**agencies: dict[str, Any]) -> Directory:
    """Return the small world's directory with these fields of these agencies changed."""
    content = DIRECTORY.model_dump(mode="json", by_alias=True, exclude_none=True)
    for agency in content["agencies"]:
        agency.update(agencies.get(agency["id"], {}))
    return Directory.model_validate(content)


def revised(number: int, in_force_from: date, published: datetime, document: Directory) -> DirectoryRevision:
    """Return *document* as the directory's revision *number*."""
    return DirectoryRevision(
        id="dir", revision=number, in_force_from=in_force_from, published=published, document=document
    )


_codes = st.sampled_from(["A", "B", "A1"]).map(lambda value: [{"scheme": "edoc", "value": value}])
_documents = st.builds(
    lambda parent, a1_groups, b_groups, c_end, a_begin, codes: changed(
        a={"from": a_begin} if a_begin else {},
        a1={"parent": parent, "groups": a1_groups, "codes": codes},
        b={"groups": b_groups, "codes": codes},
        c={"to": c_end},
    ),
    st.sampled_from(["a", "b", "c", "root"]),
    st.sampled_from([[], [], ["judged"]]),
    st.sampled_from([["judged"], ["judged"], []]),
    st.sampled_from(["2008-06-15", "2008-07-31", "2008-12-31"]),
    st.sampled_from([None, None, "2008-06-08"]),
    _codes,
)


@st.composite
def _revisions(draw: st.DrawFn) -> list[DirectoryRevision]:
    found = [FIRST_REVISION]
    for number in range(2, draw(st.integers(2, 4))):
        published = draw(st.one_of(moments, st.just(FIRST_REVISION.published)))
        found.append(revised(number, draw(days), published, draw(_documents)))
    return found


#: One to three revisions, in the order of their numbers; days in force, moments of publication and contents are any.
revision_lists = _revisions()
