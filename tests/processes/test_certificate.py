"""A certificate for one run: made, read, and gone."""

import ssl
import stat
from pathlib import Path

import pytest

from simkit.errors import SetupError
from simkit.processes.certificate import certificate


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_certificate_can_be_used_and_leaves_nothing_behind(host: str) -> None:
    with certificate(host) as (made, key):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made, key)
        folder = Path(made).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert Path(key).parent == folder
    assert not folder.exists()


def test_it_is_gone_after_an_interruption_too() -> None:
    with pytest.raises(KeyboardInterrupt), certificate("127.0.0.1") as (made, _):
        raise KeyboardInterrupt
    assert not Path(made).parent.exists()


def test_without_openssl_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="TLS takes the program 'openssl', which makes the certificate"):
        certificate("127.0.0.1").__enter__()


FAILING = [
    pytest.param("#!/bin/sh\necho 'no such curve' >&2; exit 1\n", "makes no certificate: no such curve", id="a word"),
    pytest.param("#!/bin/sh\nexit 3\n", "makes no certificate: exit code 3", id="no word"),
    pytest.param("not a program", "makes no certificate: .*[Ff]ormat", id="no program"),
]


@pytest.mark.parametrize(("program", "message"), FAILING)
def test_an_openssl_that_fails_is_quoted(
    program: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openssl").write_text(program)
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=message):
        certificate("127.0.0.1").__enter__()
