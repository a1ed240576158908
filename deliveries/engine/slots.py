"""Who may use the window's slots: no host more than its share, and all failing receivers together no more than half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from .held import HeldLane
from .transport import Window


class Slots:
    """Counts the requests in flight of one courier; the window's size is the limit of all together."""

    def __init__(self, window: Window[Any]) -> None:
        self._window = window
        self._host_share: int = settings.DELIVERY_HOST_IN_FLIGHT
        self._unproven_share: int = settings.DELIVERY_IN_FLIGHT // 2
        self._hosts: dict[str, int] = {}
        self._unproven = 0

    def take(self, lane: HeldLane) -> None:
        host = lane.endpoint.host
        self._hosts[host] = self._hosts.get(host, 0) + 1
        self._unproven += not lane.proven

    def give_back(self, host: str, proven: bool) -> None:
        """`proven` as it was when the slot was taken."""
        # An answer to a courier that failed before us was never counted.
        if (left := self._hosts.pop(host, 0) - 1) > 0:
            self._hosts[host] = left
        if not proven:
            self._unproven = max(0, self._unproven - 1)

    def may_take(self, lane: HeldLane) -> bool:
        return self._window.free > 0 and self._host_room(lane) > 0 and (lane.proven or self._unproven_room() > 0)

    def room(self, lanes: Iterable[HeldLane], now: float) -> int:
        """Slots that nothing in hand can use: what waits behind a cap, a rate or a share takes none."""
        unproven, hosts = self._unproven_room(), dict[str, int]()
        free = self._window.free
        for lane in lanes:
            wanted = lane.startable(now)
            if not wanted:
                continue
            host = hosts.setdefault(lane.endpoint.host, self._host_room(lane))
            usable = min(wanted, host) if lane.proven else min(wanted, host, unproven)
            hosts[lane.endpoint.host] -= usable
            unproven -= 0 if lane.proven else usable
            free -= usable
        return free

    def _host_room(self, lane: HeldLane) -> int:
        return max(0, self._host_share - self._hosts.get(lane.endpoint.host, 0))

    def _unproven_room(self) -> int:
        """Receivers that have not answered 2xx lately share at most half of the window."""
        return max(0, self._unproven_share - self._unproven)
