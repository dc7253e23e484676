"""The parties of a flow: their roles, session timers, answers and clocks."""

from collections.abc import Mapping
from typing import Any, Final

from ..settings import Account, ChallengeSettings, ProxySessionSettings, SessionTimerSettings
from .addresses import place_names
from .blocks import read_block
from .faults import Misread, quoted
from .logic import check_has_seat
from .model import DEFAULT_ALLOW, Actor, Answer, AnswerPolicy, Clock, Role, System
from .patterns import parse_status
from .reading import Reading, duration_us, kind_of
from .schema import CHALLENGE, CLOCK, LINE_KEYS, PARTY, PROXY, PROXY_SESSION, SESSION_TIMER, SUT, Block
from .twists import twist
from .variables import NAME
from .yaml_source import Map, Node, Scalar

_FLOOR_S: Final = 90  # RFC 4028 sections 4 and 5
_ACCOUNT: Final = ("user", "password")


def read_actors(reading: Reading, node: Node) -> dict[str, Actor]:
    """Read `actors`, and let the reading know who there is."""
    if not isinstance(node, Map) or not node.entries:
        reading.refuse(node.source, f"actors is a map such as {{alice: {{role: uac}}}}, not {kind_of(node)}")
        return {}
    for name, _ in node.entries:
        reading.roles[name.text] = None
    reading.saved.update(place_names(reading.roles))
    actors = {}
    for name, value in node.entries:
        reading.attempt(name, _check_name, name)
        actor = _read_actor(reading, name, value)
        if actor is not None:
            actors[name.text] = actor
            reading.proxies |= {name.text} if actor.is_proxy else set()
            reading.roles[name.text] = actor.role
    for name, value in node.entries:
        if name.text in actors and isinstance(value, Map) and (route := value.value("route")):
            reading.attempt(route, _check_route, reading, actors[name.text].route)
    return actors


def _check_route(reading: Reading, route: tuple[str, ...]) -> None:
    for name in route:
        role = reading.roles[reading.actor(name)]
        if role is not None and name not in reading.proxies:
            hint = "; say `plays: proxy`" if role is Role.SUT else ""
            raise Misread(f"'{name}' is no proxy: its role is {role.value}{hint}", name)
        if route.count(name) > 1:
            raise Misread(f"'{name}' stands in the route twice", name)


def _check_name(name: Scalar) -> None:
    text = name.text
    if text in LINE_KEYS:
        raise Misread(f"an actor cannot be called '{text}': it is a key of the lines of `flow`")
    if not NAME.fullmatch(text.replace("-", "_")):
        raise Misread(f"{quoted(text)} cannot name an actor: use letters, digits, '-' and '_'")
    if name.plain and (made := twist(text)):
        raise Misread(f"YAML makes {made} of {quoted(text)}: choose another name")


def _read_actor(reading: Reading, name: Scalar, node: Node) -> Actor | None:
    role = _role(reading, node)
    is_proxy = role is Role.PROXY
    fields = read_block(reading, node, *_BLOCKS.get(role, _PARTY))
    if "role" not in fields:
        return None
    if role is Role.SUT:
        fields["system"] = _read_system(fields)
    if session_timer := fields.pop("session_timer", None):
        if is_proxy or ("system" in fields and fields["system"].plays is Role.PROXY):
            fields["proxy_session"] = _read_proxy_session(reading, session_timer)
        else:
            fields["session_timer"] = read_session_timer(reading, session_timer)
    if answers := fields.pop("answers", None):
        fields["answers"] = reading.attempt(answers, _read_answers, reading, answers) or AnswerPolicy()
    if clock := fields.pop("clock", None):
        fields["clock"] = Clock(**read_block(reading, clock, CLOCK, "clock"))
    role = Role(fields.pop("role"))
    _read_authentication(reading, node, role, fields)
    if "logic" in fields and isinstance(node, Map) and (logic := node.value("logic")):
        reading.attempt(logic, check_has_seat, role, fields["logic"])
    if fields.get("retransmits") and role is not Role.SCRIPTED:
        reading.refuse(name.source, f"`retransmits` is for scripted parties; '{name.text}' does as RFC 3261 says")
    return Actor(name.source, name.text, role, **{"allow": DEFAULT_ALLOW, **fields})


def _read_authentication(reading: Reading, node: Node, role: Role, fields: dict[str, Any]) -> None:
    """Put who an actor is, and whom it asks, in the place of the keys that say so."""
    places = {key.text: key.source for key, _ in node.entries} if isinstance(node, Map) else {}
    if role is Role.SCRIPTED and "challenge" in places:
        message = "`challenge` is for a party with rules of its own; this one is scripted"
        reading.refuse(places["challenge"], message)
    account = {name: fields.pop(name) for name in _ACCOUNT if name in fields}
    if len(account) == len(_ACCOUNT):
        fields["account"] = Account(**account)
    for name, other in (_ACCOUNT, _ACCOUNT[::-1]) if role is not Role.PROXY else ():
        if name in places and other not in places:
            reading.refuse(places[name], f"`{name}` needs `{other}` beside it")
    if challenge := fields.pop("challenge", None):
        fields["challenge"] = _read_challenge(reading, challenge, role)


def _read_challenge(reading: Reading, node: Node, role: Role) -> ChallengeSettings | None:
    given = read_block(reading, node, CHALLENGE, "a challenge")
    if not {"realm", "user", "password"} <= given.keys():
        return None
    return ChallengeSettings(
        realm=given.pop("realm"),
        account=Account(given.pop("user"), given.pop("password")),
        status=int(given.pop("status", "407" if role is Role.PROXY else "401")),
        algorithms=given.pop("algorithm", ("MD5",)),
        qop=given.pop("qop", "auth") == "auth",
        **given,
    )


def _role(reading: Reading, node: Node) -> Role | None:
    """Return the role that decides which keys there are; None where it cannot be read."""
    role = node.value("role") if isinstance(node, Map) else None
    try:
        return None if role is None else Role(reading.text(role).strip())
    except (Misread, ValueError):
        return None  # a fault for whoever reads the role


_PARTY: Final = (PARTY, "an actor")
_BLOCKS: Final[Mapping[Role | None, tuple[Block, str]]] = {
    Role.PROXY: (PROXY, "a proxy"),
    Role.SUT: (SUT, "a system under test"),
}


def _read_system(fields: dict[str, Any]) -> System:
    given = {name: fields.pop(name) for name in ("start", "ready", "warp", "log") if name in fields}
    plays = fields.pop("plays", None)
    return System(**given, plays=Role(plays) if plays else None)


def read_session_timer(reading: Reading, node: Node) -> SessionTimerSettings:
    """Read a `session_timer` block; what is wrong with it the reading notes."""
    settings = SessionTimerSettings(**read_block(reading, node, SESSION_TIMER, "session_timer"))
    if isinstance(node, Map) and settings.enabled:
        _warn(reading, node, settings)
    return settings


def _read_proxy_session(reading: Reading, node: Node) -> ProxySessionSettings:
    settings = ProxySessionSettings(**read_block(reading, node, PROXY_SESSION, "a proxy's session_timer"))
    if isinstance(node, Map) and settings.enabled:
        intervals = {"default_expires": settings.default_expires_s, "max_expires": settings.max_expires_s}
        _warn_of_floor(reading, node, {**intervals, "min_se": settings.min_se_s})
        for name, seconds in intervals.items():
            if seconds is not None and seconds < settings.min_se_s:
                below = f"{name} ({seconds} s) is below min_se ({settings.min_se_s} s)"
                reading.warn((node.value(name) or node).source, f"{below}: it asks for less than it accepts")
    return settings


def _warn_of_floor(reading: Reading, node: Map, intervals: Mapping[str, int | None]) -> None:
    for name, seconds in intervals.items():
        value = node.value(name)
        if value and seconds is not None and seconds < _FLOOR_S:
            reading.warn(value.source, f"{name} is {seconds} s, below RFC 4028's floor of {_FLOOR_S} s (section 4)")


def _warn(reading: Reading, node: Map, settings: SessionTimerSettings) -> None:
    _warn_of_floor(reading, node, {"default_expires": settings.default_expires_s, "min_se": settings.min_se_s})
    if settings.default_expires_s < settings.min_se_s:
        place = (node.value("default_expires") or node).source
        message = f"default_expires ({settings.default_expires_s} s) is below min_se ({settings.min_se_s} s)"
        reading.warn(place, f"{message}: an offer must not ask for less than its own Min-SE (RFC4028-7.1-9)")


def _read_answers(reading: Reading, node: Node) -> AnswerPolicy:
    text = " ".join(reading.text(node).split())
    if text in ("at once", "by hand"):
        return AnswerPolicy(Answer(text))
    if text.startswith("after "):
        return AnswerPolicy(Answer.AFTER, after_us=duration_us(text.removeprefix("after ")))
    if text[:1].isdigit():
        return AnswerPolicy(Answer.REJECT, status=parse_status(text, least=300))
    raise Misread(f"{quoted(text)} is no way to answer: write at once, after 2s, by hand, or a status such as 486")
