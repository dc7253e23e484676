"""A toy session timer (RFC 4028) as such things are written: threading.Timer, a lock, callbacks. Yours goes here.

It knows nothing of simkit. It may use threading.Timer, time.monotonic and time.time; `process.py` moves their clock.
"""

import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

Headers = list[tuple[str, str]]
FLOOR_S = 90  # RFC 4028 section 4
OFFERS_MAX = 5  # requests in a row that are refused with 422
TRIES_MAX = 3  # of one refresh


class SessionTimer:
    """One side of one call. `refresh(method)` and `hang_up(reason)` are called from timer threads."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        is_caller: bool,
        refresh: Callable[[str], None],
        hang_up: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._is_caller = is_caller
        self._refresh = refresh
        self._hang_up = hang_up
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._interval = 0  # 0: no session timer
        self._we_refresh = False
        self._min_se = 0  # the largest Min-SE seen
        self._tries = 0
        self._retry_after = 0
        self._update_allowed = False

    # --- our requests ---

    def offer(self, method: str, initial: bool) -> Headers:
        """Return what a request of ours says (sections 7.1 and 7.4)."""
        if not self._settings["enabled"]:
            return []
        if method not in ("INVITE", "UPDATE"):
            return [("Supported", "timer")]
        with self._lock:
            least = max(self._min_se, self._settings["min_se"])
            headers = [("Supported", "timer")]
            if initial:
                preferred = self._settings["prefer_refresher"]
                headers.append(self._session_expires(max(least, self._settings["default_expires"]), preferred))
            elif self._interval:
                headers.append(self._session_expires(max(least, self._interval), "uac" if self._we_refresh else "uas"))
            if self._min_se or least > FLOOR_S:
                headers.append(("Min-SE", str(max(least, FLOOR_S))))
            return headers

    def answered(self, status: int, headers: Mapping[str, str]) -> bool:
        """Take the final response to our request; return whether to send it again (section 7.3)."""
        with self._lock:
            if 200 <= status < 300:
                self._update_allowed = "UPDATE" in headers.get("allow", "")
                self._restart(headers, our_role="uac")
            elif status == 422 and self._tries < OFFERS_MAX and _seconds(headers, "min-se") > self._min_se:
                self._tries += 1
                self._min_se = _seconds(headers, "min-se")
                return True
            else:
                self._retry_after = _seconds(headers, "retry-after")
            return False

    def refresh_failed(self, status: int) -> None:
        """Our refresh failed; 0: nobody answered it (section 10)."""
        with self._lock:
            self._tries += 1
            if status in (0, 408, 481):
                self._stop()
                self._hang_up("refresh-failed")
            elif status == 491 and self._tries == 1:  # RFC 3261 section 14.1
                self._after(random.uniform(2.1, 4.0) if self._is_caller else random.uniform(0, 2.0), self._refresh_now)
            elif self._tries < TRIES_MAX:
                self._after(self._retry_after or max(10, self._interval / 8), self._refresh_now)

    # --- the peer's requests ---

    def judge(self, headers: Mapping[str, str]) -> tuple[int, Headers]:
        """Return how to answer the peer's INVITE or UPDATE: 422 or 200, and what to say (section 9)."""
        if not self._settings["enabled"]:
            return 200, []
        with self._lock:
            supported = "timer" in headers.get("supported", headers.get("k", ""))
            self._min_se = max(self._min_se, _seconds(headers, "min-se"))
            interval, refresher = _session_expires(headers)
            if supported and 0 < interval < self._settings["min_se"]:
                return 422, [("Min-SE", str(self._settings["min_se"]))]
            if 0 < interval < min(FLOOR_S, self._settings["min_se"]) or not (interval or supported):
                return 200, [("Supported", "timer")]
            interval = interval or max(self._interval or self._settings["default_expires"], self._min_se)
            if not supported:
                refresher = "uas"
            elif not refresher and self._interval:
                refresher = "uas" if self._we_refresh else "uac"
            refresher = refresher or self._settings["prefer_refresher"] or "uac"
            required = [("Require", "timer")] if supported else []
            return 200, [("Supported", "timer"), *required, self._session_expires(interval, refresher)]

    def accepted(self, headers: Mapping[str, str]) -> None:
        """Our 2xx to the peer's INVITE or UPDATE was sent."""
        with self._lock:
            self._restart(headers, our_role="uas")

    # --- the clock ---

    def stop(self) -> None:
        """The call is over."""
        with self._lock:
            self._stop()

    def _restart(self, headers: Mapping[str, str], our_role: str) -> None:
        self._stop()
        self._tries = 0
        interval, refresher = _session_expires(headers)
        if interval:  # from the peer it may be anything
            interval = max(interval, min(FLOOR_S, self._settings["min_se"], self._settings["default_expires"]))
        self._interval, self._we_refresh = interval, refresher == our_role
        if not self._settings["enabled"]:
            return
        if interval and self._we_refresh:
            self._after(interval / 2, self._refresh_now)
            self._after(interval, self._expired)
        elif interval:
            self._after(interval - min(32, interval / 3), self._expired)

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, action)
        self._timers.append(timer)
        timer.start()

    def _refresh_now(self) -> None:
        by_update = self._settings["use_update"] and self._update_allowed
        self._refresh("UPDATE" if by_update else "INVITE")

    def _expired(self) -> None:
        with self._lock:
            self._stop()
        self._hang_up("session-expired")

    def _session_expires(self, seconds: int, refresher: str | None) -> tuple[str, str]:
        return "Session-Expires", f"{seconds};refresher={refresher}" if refresher else str(seconds)


def _seconds(headers: Mapping[str, str], name: str) -> int:
    digits = headers.get(name, "").partition(";")[0].strip()
    return int(digits) if digits.isdigit() else 0


def _session_expires(headers: Mapping[str, str]) -> tuple[int, str]:
    """Return the interval, 0 where there is none, and the refresher, "" where it is not said."""
    value = headers.get("session-expires", headers.get("x", "")).lower().replace(" ", "")
    refresher = next((part[10:] for part in value.split(";")[1:] if part.startswith("refresher=")), "")
    return _seconds({"x": value}, "x"), refresher
