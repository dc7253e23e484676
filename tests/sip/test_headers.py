"""Header names, lists and parameters."""

import pytest

from simkit.errors import PeerError
from simkit.sip.grammar import is_token, normal_form, parse_parameters, split_parameters
from simkit.sip.headers import COMPACT_FORMS, canonical_name, split_list, tokens

OF_RFC_3261_AND_4028 = {
    "c": "Content-Type",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "s": "Subject",
    "t": "To",
    "v": "Via",
    "x": "Session-Expires",
}


@pytest.mark.parametrize(("compact", "name"), OF_RFC_3261_AND_4028.items())
def test_a_compact_form_is_the_same_header(compact: str, name: str) -> None:
    for spelling in (compact, compact.upper(), name, name.lower(), name.upper()):
        assert canonical_name(spelling) == name


def test_compact_forms_are_single_letters_of_different_headers() -> None:
    assert all(len(form) == 1 and form.islower() for form in COMPACT_FORMS)
    assert len(set(COMPACT_FORMS.values())) == len(COMPACT_FORMS)


def test_unknown_names_compare_without_case() -> None:
    assert canonical_name("X-Thing") == canonical_name("x-THING") == "x-thing"


LISTS = [
    pytest.param("", (), id="empty"),
    pytest.param("a", ("a",), id="one"),
    pytest.param("a, b ,c", ("a", "b", "c"), id="three"),
    pytest.param(",a,,b,", ("a", "b"), id="empty elements fall away"),
    pytest.param('"x, y" <sip:a@b>, c', ('"x, y" <sip:a@b>', "c"), id="a comma in quotes"),
    pytest.param(r'"x\", y", c', (r'"x\", y"', "c"), id="a quote within quotes"),
    pytest.param("<sip:a,b@c>, d", ("<sip:a,b@c>", "d"), id="a comma in angle brackets"),
    pytest.param('a, "b, c', ("a", '"b, c'), id="an open quote"),
    pytest.param("a, <b, c", ("a", "<b, c"), id="an open bracket"),
]


@pytest.mark.parametrize(("value", "elements"), LISTS)
def test_a_list_is_split_at_its_commas(value: str, elements: tuple[str, ...]) -> None:
    assert split_list(value) == elements


def test_tokens_of_a_list_are_in_lower_case() -> None:
    assert tokens("Timer,100REL , timer") == {"timer", "100rel"}


def test_a_value_is_split_at_its_semicolons() -> None:
    assert split_parameters('"a;b" <sip:c;d@e;f> ; g = "h;i" ;; j;') == ('"a;b" <sip:c;d@e;f>', 'g = "h;i"', "j")
    assert split_parameters('a;b="c;d') == ("a", 'b="c;d')


@pytest.mark.parametrize("text", ["a", "INVITE", "!interesting-Method0123456789_*+`.%indeed'~"])
def test_a_token_is_made_of_letters_digits_and_ten_more(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a:", "a\n", "é", '"', "(", "a/b"])
def test_anything_else_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_parameters_are_read_in_order_and_as_written() -> None:
    assert parse_parameters(';Tag=A ; lr;x = "a;\\"b" ;y=') == (
        ("Tag", "A"),
        ("lr", None),
        ("x", '"a;\\"b"'),
        ("y", ""),
    )
    assert parse_parameters("") == ()


@pytest.mark.parametrize("text", ["a", ";", ";;", ";=a", ';a="b', ";a=b c", ";a b"])
def test_what_is_no_list_of_parameters_is_the_peers_fault(text: str) -> None:
    with pytest.raises(PeerError, match="is not a parameter"):
        parse_parameters(text)


def test_the_normal_form_folds_case_and_white_space_outside_quotes() -> None:
    assert normal_form('Digest  Realm = "A  B" ,  X/Y') == 'digest realm="A  B",x/y'
