"""A certificate for one run, made by the `openssl` program: self-signed, for a day, kept until it has been read."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..errors import SetupError

WITHIN_S: Final = 20.0
"""So long the program may take; it takes a few hundredths of a second."""

_SETTINGS: Final = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = simkit
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:{host}
"""


@contextmanager
def certificate(host: str) -> Iterator[tuple[str, str]]:
    """Yield the paths of a certificate for an IP address, and of its key, in a folder that nobody else may read.

    The folder is gone when the block is left. Raises SetupError where there is no `openssl`, or it fails.
    """
    with TemporaryDirectory(prefix="simkit-tls-") as folder:
        settings, key, made = (str(Path(folder, name)) for name in ("settings.cnf", "key.pem", "certificate.pem"))
        Path(settings).write_text(_SETTINGS.format(host=host), encoding="ascii")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        _openssl("req", "-new", "-x509", "-days", "1", "-sha256", "-config", settings, "-key", key, "-out", made)
        yield made, key


def _openssl(*words: str) -> None:
    try:
        subprocess.run(("openssl", *words), check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=WITHIN_S)
    except FileNotFoundError:
        raise SetupError("TLS takes the program 'openssl', which makes the certificate: it is not found") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {error.returncode}"]
        raise SetupError(f"openssl makes no certificate: {said[0]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"openssl makes no certificate: {error}") from None
