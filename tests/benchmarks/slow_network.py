"""Machines of network namespaces, joined by a router that delivers each packet after a delay.

Each namespace has one TUN device. A thread of this process reads the packets of all devices and writes each to the
device of its destination when the delay is over. Needs root, the program ``ip`` and /dev/net/tun.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
_PACKET_BYTES = 9000
_WAITING_PACKETS = 20_000
"""More waiting packets than that are dropped, as a router does; TCP sends them again."""


class SlowNetwork:
    """``seconds`` is the time that a packet takes from one namespace to another. Use it in a ``with`` block."""

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        self.address_by_name = {name: f"10.77.0.{number}" for number, name in enumerate(names, start=1)}
        self._seconds = seconds
        self._device_by_address: dict[bytes, int] = {}
        self._waiting: deque[tuple[float, bytes, bytes]] = deque()
        self._is_cut: frozenset[bytes] = frozenset()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._route, daemon=True)

    def __enter__(self) -> SlowNetwork:
        try:
            for name, address in self.address_by_name.items():
                self._add(name, address)
        except BaseException:
            self._remove()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._remove()

    def inside(self, name: str) -> list[str]:
        """The words before a command that runs it in a namespace."""
        return ["ip", "netns", "exec", name]

    def cut(self, *names: str) -> None:
        """Drop every packet from and to these namespaces, and those of no other one. Without names all are joined."""
        self._is_cut = frozenset(bytes(map(int, self.address_by_name[name].split("."))) for name in names)

    def _add(self, name: str, address: str) -> None:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        self._device_by_address[bytes(map(int, address.split(".")))] = device
        interface = f"tun{address.rpartition('.')[2]}-{os.getpid()}"[:15]
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", interface.encode(), _TUN_WITHOUT_HEADER))
        for command in (
            ["ip", "netns", "add", name],
            ["ip", "link", "set", interface, "netns", name],
            ["ip", "-n", name, "address", "add", f"{address}/24", "dev", interface],
            ["ip", "-n", name, "link", "set", interface, "mtu", str(_PACKET_BYTES), "up"],
            ["ip", "-n", name, "link", "set", "lo", "up"],
        ):
            subprocess.run(command, check=True)

    def _remove(self) -> None:
        for device in self._device_by_address.values():
            os.close(device)
        for name in self.address_by_name:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    def _route(self) -> None:
        with selectors.DefaultSelector() as selector:
            for device in self._device_by_address.values():
                selector.register(device, selectors.EVENT_READ)
            while not self._stopped.is_set():
                next_due = self._waiting[0][0] - time.monotonic() if self._waiting else 0.1
                for key, _ in selector.select(max(0.0, min(next_due, 0.1))):
                    self._read(key.fd)
                while self._waiting and self._waiting[0][0] <= time.monotonic():
                    _, destination, packet = self._waiting.popleft()
                    self._deliver(destination, packet)

    def _read(self, device: int) -> None:
        packet = os.read(device, _PACKET_BYTES)
        if packet[0] >> 4 == 4 and len(self._waiting) < _WAITING_PACKETS:
            self._waiting.append((time.monotonic() + self._seconds, packet[16:20], packet))

    def _deliver(self, destination: bytes, packet: bytes) -> None:
        device = self._device_by_address.get(destination)
        if not self._is_cut.isdisjoint((destination, packet[12:16])):
            return
        if device is not None:
            try:
                os.write(device, packet)
            except BlockingIOError:
                return  # the device's queue is full: the packet is dropped
