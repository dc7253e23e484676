"""XML is read as SIPp takes it: well-formed or not, in one pass, with the place of everything."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import FlowError
from simkit.sipp.xml import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, Document, Element, read_xml

HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'


def read(text: str | bytes) -> Document:
    return read_xml(text if isinstance(text, bytes) else (HEAD + text).encode(), "x.xml")


def outline(element: Element) -> str:
    return f"{element.name}({' '.join(map(outline, element.children))})"


def oddities(document: Document) -> list[str]:
    return [f"{fault.source.line}:{fault.source.column}: {fault.message}" for fault in document.oddities]


TAKEN = [
    pytest.param("<a><b/><c></c></a>", "a(b() c())", [], id="well-formed"),
    pytest.param("<a>text <b/> & more</a>", "a(b())", [], id="text between tags"),
    pytest.param("<!DOCTYPE a SYSTEM 'x.dtd'><a/>", "a()", [], id="DOCTYPE"),
    pytest.param("<!DOCTYPE a [ <!ENTITY b 'c > d'> ]><a/>", "a()", [], id="DOCTYPE with entities"),
    pytest.param("<a><!-- <b> --><?x <c> ?></a>", "a()", [], id="comments and instructions"),
    pytest.param(
        "<a><b>",
        "a(b())",
        [
            "2:4: <b> is never closed: SIPp does not mind, other readers of XML do",
            "2:1: <a> is never closed: SIPp does not mind, other readers of XML do",
        ],
        id="never closed",
    ),
    pytest.param("<a><b></c></a>", "a(b())", ["2:7: </c> closes nothing: </b> is due here"], id="another name closes"),
    pytest.param(
        "<a><b><c></b><d/></a>", "a(b(c()) d())", ["2:10: </b> closes nothing: </c> is due here"], id="overlap"
    ),
    pytest.param(
        '<a x="1 < 2"/>', "a()", ["2:6: SIPp 3.6 may not read past '<' in a value: write &lt;"], id="< in value"
    ),
    pytest.param(
        "<a x='1'/>",
        "a()",
        ["2:6: SIPp reads a value in single quotes on to the next double quote"],
        id="single quotes",
    ),
    pytest.param("<a/> <b/> < &", "a()", [], id="what follows the root"),
]


@pytest.mark.parametrize(("text", "shape", "odd"), TAKEN)
def test_what_sipp_takes_is_read(text: str, shape: str, odd: list[str]) -> None:
    document = read(text)
    assert (outline(document.root), oddities(document)) == (shape, odd)


VALUES = [
    pytest.param('x="a &lt; b &amp; c &quot;d&quot; &apos; &gt;"', 'a < b & c "d" \' >', id="the five entities"),
    pytest.param('x="&e; &#65; &amp"', "&e; &#65; &amp", id="no others"),
    pytest.param(r'x="say \"hi\"\n\t\\ \d"', 'say "hi"\n\t\\ \\d', id="backslashes"),
    pytest.param('x = "spaced"', "spaced", id="white space"),
    pytest.param('x="1" x="2"', "1", id="the first of two"),
    pytest.param('y="0" x="a\nb"', "a\nb", id="over two lines"),
]


@pytest.mark.parametrize(("attributes", "value"), VALUES)
def test_a_value_means_what_sipp_makes_of_it(attributes: str, value: str) -> None:
    assert read(f"<a {attributes}/>").root.value("x") == value


def test_cdata_is_as_it_stands() -> None:
    cdata = read("<a>\n  <![CDATA[x < y ]] > &amp; <b>]]>\n</a>").root.cdata
    assert cdata is not None
    assert (cdata.text, cdata.source.line, cdata.source.column) == ("x < y ]] > &amp; <b>", 3, 12)


ENCODINGS = [
    pytest.param("<a x='ü'/>".encode(), "ü", id="UTF-8 that says it is ISO-8859-1"),
    pytest.param("<a x='ü'/>".encode("latin-1"), "ü", id="ISO-8859-1"),
    pytest.param(b"\xef\xbb\xbf<?xml?><a x='1'/>", "1", id="a byte order mark"),
    pytest.param("<a x='\U000f0001\ue000'/>".encode(), "\ufffd\ufffd", id="private characters are not let in"),
]


@pytest.mark.parametrize(("data", "value"), ENCODINGS)
def test_bytes_are_read_whatever_the_encoding_says(data: bytes, value: str) -> None:
    assert read(data).root.value("x") == value


def test_a_file_that_does_not_begin_with_the_declaration_is_read_all_the_same() -> None:
    assert oddities(read(b"\n<a/>")) == ['1:1: SIPp reads only files whose first bytes are <?xml version="1.0"?>']


REFUSED = [
    pytest.param(
        "", "1:1: there is no element in this file: a SIPp scenario begins with <scenario name=...>", id="empty"
    ),
    pytest.param("<a", "2:1: this tag never ends: '>' is missing", id="tag without an end"),
    pytest.param("<a x='1", "2:6: this value never ends: its closing quotation mark is missing", id="open quote"),
    pytest.param("<a x=1>", "2:6: expected a value in double quotes", id="no quotes"),
    pytest.param("<a x>", '2:4: expected name="value", or the end of the tag', id="no value"),
    pytest.param("<a><![CDATA[ x</a>", "2:4: a CDATA section begins here that never ends: ]]> is missing", id="CDATA"),
    pytest.param("<a><!-- x</a>", "2:4: a comment begins here that never ends: --> is missing", id="comment"),
    pytest.param("<a>\n 1 < 2</a>", "3:4: '<' begins no element here: write &lt; for a plain one", id="< in text"),
    pytest.param("<a></ >", "2:4: this closing tag is broken", id="closing tag"),
    pytest.param(f"{'<a>' * (MAX_DEPTH + 1)}", "elements within elements, more than 32 deep", id="too deep"),
    pytest.param(f"<a>{'<b/>' * MAX_ELEMENTS}", "more than 10,000 elements: no scenario is that long", id="too many"),
    pytest.param("x" * MAX_BYTES, "1:1: is over 1 MiB: no scenario is that long", id="too long"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_what_cannot_be_read_any_further_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(FlowError) as raised:
        read(text)
    assert told in str(raised.value)


def test_utf_16_is_refused() -> None:
    with pytest.raises(FlowError, match="UTF-16 or no text at all"):
        read("<a/>".encode("utf-16"))


SNIPPETS = st.sampled_from(
    [
        "<a>",
        "</a>",
        "<b x=",
        '"',
        "'",
        ">",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<!DOCTYPE",
        "[",
        "]",
        "\\",
        "&lt;",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(SNIPPETS | st.text(max_size=5), max_size=40).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(FlowError):
        assert read(text).root.name


@pytest.mark.parametrize(
    "piece", ["<a ", '<a x="', "<!--", "<![CDATA[", "<!DOCTYPE [", "</a", "<a><b></b>", '\\"', "["]
)
def test_the_work_grows_with_the_size_alone(piece: str) -> None:
    """A million characters that make a reader look ahead again and again are read, or refused, at once."""
    text = HEAD + piece * ((MAX_BYTES - 100) // len(piece))
    with suppress(FlowError):
        read(text.encode())
