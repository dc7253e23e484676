"""Digest authentication against the examples of the RFCs, and what is not understood (RFC 7616, RFC 2069)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simkit.errors import PeerError
from simkit.sip.digest import Algorithm, Challenge, Credentials, answer, parse_challenge, parse_credentials

REALM, URI = "http-auth@example.org", "/dir/index.html"
NONCE, OPAQUE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

EXAMPLES = [
    pytest.param(Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec", id="MD5"),
    pytest.param(Algorithm.SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", id="SHA-256"),
]


@pytest.mark.parametrize(("algorithm", "response"), EXAMPLES)
def test_the_example_with_qop_has_its_response(algorithm: Algorithm, response: str) -> None:
    """RFC 7616 section 3.9.1."""
    challenge = Challenge(REALM, NONCE, algorithm, qop=True, opaque=OPAQUE)
    given = answer(challenge, "Mufasa", "Circle of Life", method="GET", uri=URI, cnonce=CNONCE, nc=1)
    assert given.response == response
    assert given.prove("Circle of Life", "GET")
    assert not given.prove("Circle of Life", "POST")
    assert not given.prove("circle of life", "GET")


def test_the_example_without_qop_has_its_response() -> None:
    """RFC 2069 section 2.4, as its erratum 749 corrects it."""
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    given = answer(challenge, "Mufasa", "CircleOfLife", method="GET", uri=URI, cnonce="unused", nc=7)
    assert given.response == "1949323746fe6a43ef61f9606e7febea"
    assert "nc=" not in str(given)
    assert "cnonce" not in str(given)


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)
CHALLENGES = st.builds(
    Challenge,
    realm=TEXTS,
    nonce=TEXTS,
    algorithm=st.sampled_from(Algorithm),
    qop=st.booleans(),
    stale=st.booleans(),
    opaque=st.none() | TEXTS,
)


@given(CHALLENGES)
def test_a_challenge_that_is_written_reads_the_same(challenge: Challenge) -> None:
    assert parse_challenge(str(challenge)) == challenge


@given(CHALLENGES, TEXTS, TEXTS, st.integers(1, 2**32 - 1))
def test_credentials_that_are_written_read_the_same_and_prove_the_password(
    challenge: Challenge, user: str, password: str, nc: int
) -> None:
    given = answer(challenge, user, password, method="INVITE", uri="sip:bob@192.0.2.2", cnonce="c", nc=nc)
    read = parse_credentials(str(given))
    assert read == given
    assert read.prove(password, "INVITE")
    assert not read.prove(f"{password}!", "INVITE")


def test_a_challenge_reads_whatever_the_spelling() -> None:
    """Names and scheme compare without case; quotes are where a peer puts them (RFC 7616 section 3.3)."""
    written = 'digest  REALM="a, \\"b\\"" ,Nonce=abc,qop="auth-int, AUTH",stale=TRUE,algorithm="sha-256",charset=UTF-8'
    assert parse_challenge(written) == Challenge('a, "b"', "abc", Algorithm.SHA_256, qop=True, stale=True)


NOT_UNDERSTOOD = [
    pytest.param('Basic realm="x"', "not Digest", id="another scheme"),
    pytest.param('Digest nonce="n"', "'realm' is missing", id="no realm"),
    pytest.param('Digest realm="r"', "'nonce' is missing", id="no nonce"),
    pytest.param('Digest realm="r", nonce="n", algorithm=MD5-sess', "algorithm 'MD5-sess'", id="algorithm"),
    pytest.param('Digest realm="r", nonce="n", qop="auth-int"', "qop 'auth-int'", id="no qop that we know"),
    pytest.param('Digest realm="r", realm="s", nonce="n"', "cannot be read", id="a field twice"),
    pytest.param('Digest realm="r, nonce="n"', "cannot be read", id="a quote that is not closed"),
    pytest.param('Digest realm="r" nonce="n"', "cannot be read", id="no comma"),
    pytest.param("Digest", "not Digest", id="nothing"),
]


@pytest.mark.parametrize(("value", "why"), NOT_UNDERSTOOD)
def test_what_is_no_challenge_to_us_is_told(value: str, why: str) -> None:
    with pytest.raises(PeerError, match=why):
        parse_challenge(value)


GIVEN = str(Credentials("u", "r", "n", "sip:x", cnonce="c", nc=10, response="0" * 32))
BROKEN = [
    pytest.param("qop=auth", "qop=auth-int", "auth-int", id="qop"),
    pytest.param("nc=0000000a", "nc=a", "nc 'a'", id="a short count"),
    pytest.param("nc=0000000a, ", "", "nc ''", id="no count"),
    pytest.param('cnonce="c", ', "", "'cnonce' is missing", id="no cnonce"),
    pytest.param('response="', 'respons="', "'response' is missing", id="no response"),
]


@pytest.mark.parametrize(("right", "wrong", "why"), BROKEN)
def test_broken_credentials_are_told(right: str, wrong: str, why: str) -> None:
    assert parse_credentials(GIVEN).nc == 10
    written = f"{GIVEN}, "
    assert right in written
    with pytest.raises(PeerError, match=why):
        parse_credentials(written.replace(right, wrong, 1).removesuffix(", "))


def test_a_response_in_capitals_proves_as_much() -> None:
    given = answer(Challenge("r", "n"), "u", "p", method="BYE", uri="sip:x", cnonce="", nc=0)
    assert parse_credentials(str(replace(given, response=given.response.upper()))).prove("p", "BYE")


def test_many_commas_and_quotes_are_read_in_no_time() -> None:
    for value in ('Digest realm="' + "\\" * 8000, "Digest " + "a=b," * 2000, 'Digest realm="' + '",' * 4000):
        with pytest.raises(PeerError):
            parse_challenge(value)
