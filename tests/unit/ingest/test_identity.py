"""One spelling per address and per name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.identity import normalise_address, normalise_text

LOCAL = st.text(st.characters(exclude_characters="@", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1)
DOMAIN = st.from_regex(r"[a-z0-9]{1,10}(\.[a-zăâđêôơư]{2,10}){1,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("Lan.Nguyen@SoYTe.ThaiNguyen.gov.vn", "lan.nguyen@soyte.thainguyen.gov.vn", id="case"),
        pytest.param("lan+gap@thainguyen.gov.vn", "lan@thainguyen.gov.vn", id="tag"),
        pytest.param("lan+gap+2@thainguyen.gov.vn", "lan@thainguyen.gov.vn", id="two tags"),
        pytest.param("+gap@thainguyen.gov.vn", "+gap@thainguyen.gov.vn", id="nothing before the tag"),
        pytest.param("lan@thainguyen.gov.vn.", "lan@thainguyen.gov.vn", id="final dot"),
        pytest.param("lan@tháinguyên.vn", "lan@xn--thinguyn-9ya9g.vn", id="diacritics in the domain"),
        pytest.param("lan@THÁINGUYÊN.vn", "lan@xn--thinguyn-9ya9g.vn", id="their capitals"),
        pytest.param("lan@xn--thinguyn-9ya9g.vn", "lan@xn--thinguyn-9ya9g.vn", id="punycode as sent"),
        pytest.param("lan@mail_1.vn", "lan@mail_1.vn", id="underscore, which some hosts have"),
        pytest.param("root@localhost", "root@localhost", id="no dot"),
    ],
)
def test_spellings_of_one_mailbox_are_one(written: str, meant: str) -> None:
    """Case, tags, final dots and IDN make no second mailbox."""
    found = normalise_address(written)
    assert found is not None
    assert found.address == meant
    assert found.domain == meant.rpartition("@")[2]


@pytest.mark.parametrize(
    "written", ["lan@", "lan@-a.vn", "lan@a..vn", "lan@[127.0.0.1]", "lan@xn--\x80.vn", "@thainguyen.gov.vn", "lan"]
)
def test_what_cannot_receive_mail_is_no_address(written: str) -> None:
    """A domain that no mail could go to, or no name before it, gives no address."""
    assert normalise_address(written) is None


@given(LOCAL, DOMAIN)
def test_normalising_twice_changes_nothing(local: str, domain: str) -> None:
    """A normalised address is its own normal form."""
    once = normalise_address(f"{local}@{domain}")
    if once is not None:
        assert normalise_address(once.address) == once


@given(LOCAL, LOCAL, DOMAIN)
def test_a_tag_never_makes_a_second_person(local: str, tag: str, domain: str) -> None:
    """Whatever follows the plus sign, the mailbox is the one before it."""
    plain = normalise_address(f"{local.lstrip('+') or 'a'}@{domain}")
    tagged = normalise_address(f"{local.lstrip('+') or 'a'}+{tag}@{domain}")
    assert plain == tagged


def test_composed_and_decomposed_characters_are_one_text() -> None:
    """Two systems that write a document's number with different code points mean one document."""
    assert normalise_text("214/QĐ-UBND Thái Nguyên ") == normalise_text("214/QĐ-UBND Tha\u0301i Nguye\u0302n")
