"""The proxies of one process: each listens, connects on, and has its toxics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from random import Random
from typing import Any

from pos_host.options import UsageError, parse_address
from pos_host.proxy.link import Link, Tap
from pos_host.proxy.toxic_documents import ToxicError, ToxicSpec, check_room
from pos_specs.network_address import shown_address

MOST_PROXIES = 64
"""Proxies of one process; each is a listening socket."""

MOST_CONNECTIONS = 1024
"""Connections of one proxy, then new ones are closed at once: two sockets and at most two full buffers each."""

BACKLOG = 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class NotFound(LookupError):
    """There is no such proxy or toxic."""


class Conflict(Exception):
    """There is one of that name already, or no room for another."""


class Proxy:
    """One proxy. `listen` and `upstream` are addresses, the port of the first one that was taken once it is open."""

    def __init__(
        self,
        name: str,
        listen: tuple[str, int],
        upstream: tuple[str, int],
        seed: int,
        tap: Tap,
        tell: Callable[[str], None],
    ) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.enabled = True
        self.toxics: list[ToxicSpec] = []
        self.links: set[Link] = set()
        self._seed = seed
        self._tap = tap
        self._tell = tell
        self._count = 0
        self._server: asyncio.Server | None = None

    @property
    def down(self) -> bool:
        """True while nobody may connect: switched off, or a toxic of that kind is there."""
        return not self.enabled or any(toxic.kind == "down" for toxic in self.toxics)

    def to_json(self) -> dict[str, Any]:
        """The document, in Toxiproxy's shape."""
        return {
            "name": self.name,
            "listen": shown_address(*self.listen),
            "upstream": shown_address(*self.upstream),
            "enabled": self.enabled,
            "toxics": [toxic.to_json() for toxic in self.toxics],
        }

    async def set_toxics(self, toxics: list[ToxicSpec]) -> None:
        """Have these toxics from now on, on connections that are there too. Raises OSError when the address of a proxy
        that was down is taken."""
        self.toxics = toxics
        await self.settle()
        for link in list(self.links):
            link.set_toxics(toxics)

    async def become(self, listen: tuple[str, int], upstream: tuple[str, int], enabled: bool) -> None:
        """Have these addresses, on or off; connections end where one has changed. Raises OSError when it is taken."""
        if (listen, upstream) != (self.listen, self.upstream):
            await self.close()
            self.listen, self.upstream = listen, upstream
        self.enabled = enabled
        await self.settle()

    async def settle(self) -> None:
        """Listen, or hang up, as the proxy is up or down; raises OSError when the address is taken."""
        if self.down:
            await self.close()
        elif self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accept, *self.listen, backlog=BACKLOG)
            address = self._server.sockets[0].getsockname()
            self.listen = (address[0], address[1])

    async def close(self) -> None:
        """Listen no more and close every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self.links):
            link.close()

    def _accept(self) -> asyncio.Protocol:
        self._count += 1
        number = self._count
        link = Link(
            number,
            self.upstream,
            self.toxics,
            lambda toxic: Random(f"{self._seed}:{self.name}:{number}:{toxic}"),
            self._tap,
            self.links.discard,
            lambda reason: self._tell(f"{self.name}: {reason}"),
        )
        if len(self.links) >= MOST_CONNECTIONS:
            self._tell(f"{self.name}: more than {MOST_CONNECTIONS} connections")
            return _Refused()
        self.links.add(link)
        return link.client


class _Refused(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Proxies:
    """All proxies, by name. `tap` is told of all bytes, `tell` of connections that could not be made."""

    def __init__(self, seed: int, tap: Tap, tell: Callable[[str], None]) -> None:
        self._seed = seed
        self._tap = tap
        self._tell = tell
        self.by_name: dict[str, Proxy] = {}

    def find(self, name: str) -> Proxy:
        """The proxy; raises NotFound."""
        try:
            return self.by_name[name]
        except KeyError:
            raise NotFound("proxy not found") from None

    async def add(self, document: object) -> Proxy:
        """A new proxy of a document; raises ToxicError, Conflict, or OSError when the address is taken."""
        proxy = self._made(document)
        if proxy.name in self.by_name:
            raise Conflict("proxy already exists")
        self._check_room({proxy.name})
        await self._open(proxy)
        return proxy

    async def replace(self, documents: list[object]) -> list[Proxy]:
        """A new proxy of each document, in the place of one of the same name; raises as `add` does. Nothing has
        changed then, but where an address is taken."""
        made = [self._made(document) for document in documents]
        self._check_room({proxy.name for proxy in made})
        for proxy in made:
            if proxy.name in self.by_name:
                await self.remove(proxy.name)
            await self._open(proxy)
        return made

    def _made(self, document: object) -> Proxy:
        if not isinstance(document, dict):
            raise ToxicError("proxy", "must be an object")
        for key in document.keys() - {"name", "listen", "upstream", "enabled", "toxics"}:
            raise ToxicError(str(key), "is not known; there are name, listen, upstream, enabled")
        name = document.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ToxicError("name", "must be up to 64 letters, digits, dots, hyphens and underscores")
        listen, upstream = (read_address(document, key) for key in ("listen", "upstream"))
        proxy = Proxy(name, listen, upstream, self._seed, self._tap, self._tell)
        proxy.enabled = read_switch(document, default=True)
        return proxy

    def _check_room(self, names: set[str]) -> None:
        if len(self.by_name.keys() | names) > MOST_PROXIES:
            raise Conflict(f"there may be {MOST_PROXIES} proxies at the most")

    async def _open(self, proxy: Proxy) -> None:
        await proxy.settle()
        self.by_name[proxy.name] = proxy

    async def change(self, name: str, document: object) -> Proxy:
        """A proxy with another upstream, another address, switched on or off; raises as `add` does, and NotFound. It is
        as it was then."""
        proxy = self.find(name)
        if not isinstance(document, dict):
            raise ToxicError("proxy", "must be an object")
        listen, upstream = (
            read_address(document, key) if document.get(key) else getattr(proxy, key) for key in ("listen", "upstream")
        )
        enabled = read_switch(document, default=proxy.enabled)
        before = proxy.listen, proxy.upstream, proxy.enabled
        try:
            await proxy.become(listen, upstream, enabled)
        except OSError:
            await proxy.become(*before)
            raise
        return proxy

    async def remove(self, name: str) -> None:
        """End a proxy; raises NotFound."""
        proxy = self.find(name)
        del self.by_name[name]
        await proxy.close()

    async def reset(self) -> None:
        """Switch every proxy on and take all toxics away."""
        for proxy in self.by_name.values():
            proxy.enabled = True
            await proxy.set_toxics([])

    async def close(self) -> None:
        """End all proxies."""
        for proxy in self.by_name.values():
            await proxy.close()


async def add_toxic(proxy: Proxy, toxic: ToxicSpec) -> None:
    """Give a proxy one toxic more; raises Conflict."""
    try:
        check_room(proxy.toxics, toxic)
    except ToxicError as error:
        raise Conflict(error.reason) from None
    await proxy.set_toxics([*proxy.toxics, toxic])


def find_toxic(proxy: Proxy, name: str) -> ToxicSpec:
    """A proxy's toxic; raises NotFound."""
    for toxic in proxy.toxics:
        if toxic.name == name:
            return toxic
    raise NotFound("toxic not found")


def read_address(document: dict[str, Any], key: str) -> tuple[str, int]:
    """The address under a key; raises ToxicError."""
    text = document.get(key)
    if not isinstance(text, str):
        raise ToxicError(key, "must be ADDR:PORT")
    try:
        return parse_address(text, key)
    except UsageError:
        raise ToxicError(key, "must be ADDR:PORT") from None


def read_switch(document: dict[str, Any], *, default: bool) -> bool:
    """Whether a proxy is on; raises ToxicError."""
    enabled = document.get("enabled", default)
    if not isinstance(enabled, bool):
        raise ToxicError("enabled", "must be true or false")
    return enabled
