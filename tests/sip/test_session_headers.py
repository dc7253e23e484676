"""Session-Expires and Min-SE (RFC 4028 sections 4 and 5)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import PeerError
from simkit.sip.session_headers import Refresher, SessionExpires, parse_min_se, parse_session_expires

UAC, UAS = Refresher.UAC, Refresher.UAS

READ = [
    #            value                             interval    refresher  other parameters
    pytest.param("1800", 1800, None, (), id="seconds alone"),
    pytest.param("1800;refresher=uac", 1800, UAC, (), id="uac"),
    pytest.param("1800;refresher=uas", 1800, UAS, (), id="uas"),
    pytest.param("1800;refresher=UAC", 1800, UAC, (), id="value in capitals"),
    pytest.param("1800;REFRESHER=Uas", 1800, UAS, (), id="name in capitals"),
    pytest.param(' 1800 ; Refresher = "uac" ', 1800, UAC, (), id="white space and quotes"),
    pytest.param("1800\t;\trefresher\t=\tuas", 1800, UAS, (), id="tabs"),
    pytest.param("1800;refresher=proxy", 1800, None, (), id="a refresher nobody knows"),
    pytest.param("1800;refresher", 1800, None, (), id="a refresher without value"),
    pytest.param("1800;refresher=", 1800, None, (), id="a refresher with an empty value"),
    pytest.param("1800;refresher=uac;refresher=uas", 1800, UAC, ("refresher=uas",), id="two: the first counts"),
    pytest.param("1800;foo=bar;refresher=uas;baz", 1800, UAS, ("foo=bar", "baz"), id="unknown parameters are kept"),
    pytest.param('90;foo="a;refresher=uac";b', 90, None, ('foo="a;refresher=uac"', "b"), id="a semicolon in quotes"),
    pytest.param("1800;;refresher=uac;", 1800, UAC, (), id="empty parameters"),
    pytest.param("0", 0, None, (), id="zero"),
    pytest.param("0090", 90, None, (), id="leading zeros"),
    pytest.param("4294967295", 2**32 - 1, None, (), id="2**32 - 1"),
    pytest.param("99999999999999999999", 10**20 - 1, None, (), id="20 digits"),
]


@pytest.mark.parametrize(("value", "interval_s", "refresher", "parameters"), READ)
def test_session_expires_is_read(
    value: str, interval_s: int, refresher: Refresher | None, parameters: tuple[str, ...]
) -> None:
    read = parse_session_expires(value)
    assert read == SessionExpires(interval_s, refresher, parameters)
    assert parse_session_expires(str(read)).interval_s == interval_s


@pytest.mark.parametrize(("value", "interval_s"), [(row.values[0], row.values[1]) for row in READ])
def test_min_se_is_the_number_and_its_parameters_say_nothing(value: str, interval_s: int) -> None:
    assert parse_min_se(value) == interval_s


GARBAGE = [
    pytest.param("", id="empty"),
    pytest.param("   ", id="white space"),
    pytest.param(";refresher=uac", id="parameters alone"),
    pytest.param("-90", id="negative"),
    pytest.param("+90", id="signed"),
    pytest.param("90.5", id="a fraction"),
    pytest.param("90s", id="a unit"),
    pytest.param("90 90", id="two numbers"),
    pytest.param("1800,90", id="a list"),
    pytest.param("0x5a", id="hexadecimal"),
    pytest.param("٩٠", id="other digits"),
    pytest.param("\xa090", id="a space that is not SIP's"),
    pytest.param('"90"', id="quoted"),
    pytest.param("soon", id="a word"),
    pytest.param("100000000000000000000", id="21 digits"),
    pytest.param("9" * 8000, id="8000 digits"),
]


@pytest.mark.parametrize("value", GARBAGE)
def test_what_is_no_number_of_seconds_is_the_peers_fault(value: str) -> None:
    for name, parse in (("Session-Expires", parse_session_expires), ("Min-SE", parse_min_se)):
        with pytest.raises(PeerError, match=f"^{name}: .*is not a whole number of seconds") as error:
            parse(value)
        assert error.value.status == 400
        assert len(str(error.value)) < 120


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.builds(
        SessionExpires,
        st.integers(0, 10**20 - 1),
        st.sampled_from([None, UAC, UAS]),
        st.lists(st.from_regex(r"[a-q]{1,5}(=[a-z0-9]{1,5})?", fullmatch=True), max_size=3).map(tuple),
    )
)
def test_what_is_written_is_read_back(session_expires: SessionExpires) -> None:
    assert parse_session_expires(str(session_expires)) == session_expires
