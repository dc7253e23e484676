"""What YAML would silently make of a value without quotes: `on`, `1:30`, `010`, `1e3`.

simkit reads the text as it stands, but other YAML readers see a truth value, a number or a date there, and YAML 1.1 and
1.2 do not agree on which. Such values are refused where text or a duration is meant, so that a file means one thing.
"""

import re
from typing import Final

_SUSPECT = re.compile(r"[-+.0-9~]|(?:true|false|yes|no|on|off|null)$|$", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_BASED = re.compile(r"[-+]?0[xob][0-9a-fA-F_]+")
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_DIGITS = re.compile(r"[-+]?[0-9][0-9_]*")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.[0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_LONG: Final = 40  # characters; past that, what the number is helps nobody
_NOTHING: Final = frozenset({"", "~", "null"})


def twist(text: str) -> str | None:
    """Return what YAML makes of a plain value that is not what it says ("the number 90"); None where they agree."""
    if not _SUSPECT.match(text):
        return None
    folded = text.lower()
    if folded in _NOTHING:
        return "nothing"
    if folded in _TRUTH:
        return "true" if _TRUTH[folded] else "false"
    if _PLAIN_NUMBER.fullmatch(text):
        return None
    if _DATE.fullmatch(text):
        return "a date"
    if folded.lstrip("+-") in (".inf", ".nan"):
        return "no number that can be counted with"
    return _number(text)


def is_decimal(text: str) -> bool:
    """Tell whether it is digits with a decimal point and no exponent, which is one thing where a number is meant."""
    return re.fullmatch(r"[0-9]+\.[0-9]+", text) is not None


def _number(text: str) -> str | None:
    if len(text) > _LONG:
        return "a number" if _DECIMAL.fullmatch(text) or _DIGITS.fullmatch(text) or _BASE_60.fullmatch(text) else None
    digits = text.replace("_", "")
    if _BASE_60.fullmatch(text):
        return f"the number {_base_60(digits)}"
    if _BASED.fullmatch(text):
        return f"the number {int(digits, 0)}" if len(digits.lstrip("+-")) > 2 else None
    if _OCTAL.fullmatch(text):
        return f"the number {int(digits, 8)} (or {int(digits)})"
    if _DIGITS.fullmatch(text):
        return f"the number {int(digits)}"
    if _DECIMAL.fullmatch(text) and text != repr(float(digits)):
        return f"the number {float(digits):g}"
    return None


def _base_60(digits: str) -> str:
    total = 0
    whole, _, fraction = digits.lstrip("+-").partition(".")
    for part in whole.split(":"):
        total = total * 60 + int(part)
    sign = "-" if digits.startswith("-") else ""
    return f"{sign}{total}" + (f".{fraction}" if fraction else "")
