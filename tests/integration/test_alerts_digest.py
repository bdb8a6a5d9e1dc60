"""The report to those above, as it goes out: from tables to a mail."""

from __future__ import annotations

import pytest

from schemas.directory import Directory
from schemas.policy import Policy
from tests import alerts_world as world
from tests.alerts_place import Place
from tests.integration.test_alerts_answers import publish
from tests.integration.test_alerts_mail import place

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
__all__ = ["place"]  # the fixture


def test_a_chair_reads_once_a_month_what_has_come_to_that_level(place: Place) -> None:
    """On the first of October, about September: figures of the tables, warnings of that day, answers none."""
    with place.database() as database:
        world.fill(database)
        content = world.directory().model_dump(mode="json", by_alias=True, exclude_none=True)
        chair = {"role": "chair", "name": "Văn phòng Chủ tịch", "email": "chu-tich@example.vn"}
        content["agencies"][0]["contacts"].append(chair)
        document = Directory.model_validate(content).model_dump_json(by_alias=True)
        row = ("directory", "tinh", 2, world.START, world.NOW, document)
        names = ["kind", "id", "revision", "in_force_from", "published", "document"]
        database.insert("plan_revisions", names, [[value] for value in row])
    levels = [{"to": "head"}, {"to": "chair", "severity": "warning", "digest": "month"}]
    about = {"policy": "tinh-2008", "plan": "tinh-2008", "in_force_from": "2008-01-01"}
    publish(place, Policy.model_validate(about | {"levels": levels}))
    place.catcher()
    place.alerts()

    mails = place.wait_for_mails(4)
    place.wait_until_all_sent()

    (report,) = [one for one in mails if one["To"].addresses[0].addr_spec == "chu-tich@example.vn"]
    text = report.get_body(("plain",))
    assert text is not None
    content = text.get_content()
    assert str(report["Subject"]) == "[Tiến Độ] Sở Y tế, tháng 09/2008: 1/1 cơ quan bị cảnh báo, 2 cảnh báo mới"
    assert "[mới] Sở Y tế, Cán bộ sử dụng thư điện tử cho công việc: chậm 31 ngày" in " ".join(content.split())
    assert "1/1 cơ quan bị cảnh báo; chậm 27 ngày (Sở Y tế)" in " ".join(content.split())
    assert len(place.files()) == 4
