"""How many of something, in words."""


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return "1 call", "12 calls"; `plural` is what is put to the noun then."""
    return f"{number} {noun}{'' if number == 1 else plural}"
