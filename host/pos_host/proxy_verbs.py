"""`pos-host proxy`: harm to the connections between any terminal and any host."""

from __future__ import annotations

import asyncio
import importlib
import json
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pos_host.options import UsageError, parse_address

if TYPE_CHECKING:
    from pos_host.proxy.link import Link
    from pos_host.proxy.proxies import Proxies
    from pos_host.proxy.toxic_documents import ToxicSpec
    from pos_host.recording.recorder import Recorder

PROXY_NAME = "pos"


@dataclass(frozen=True)
class ProxyOptions:
    """What a proxy is started with."""

    listen: tuple[str, int]
    upstream: tuple[str, int]
    toxics: Path | None = None
    seed: int | None = None
    http: tuple[str, int] | None = None
    name: str = PROXY_NAME
    record: Path | None = None
    dialect: str = "unionpay"
    ready_file: Path | None = None


def proxy_command(
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDR:PORT", help="Where terminals connect; port 0 is free.")
    ],
    upstream: Annotated[str, typer.Option("--upstream", metavar="ADDR:PORT", help="The host.")],
    toxics: Annotated[
        Path | None, typer.Option("--toxics", metavar="FILE", help="The harm (YAML or TOML); none without.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="What chance is drawn from; else the file's.")
    ] = None,
    http: Annotated[
        str, typer.Option("--http", metavar="ADDR:PORT", help="The API to change toxics while running, or off.")
    ] = "off",
    name: Annotated[str, typer.Option("--name", help="The proxy's name in the API.")] = PROXY_NAME,
    record: Annotated[
        Path | None, typer.Option("--record", help="Record all messages to this new file, cards replaced.")
    ] = None,
    dialect: Annotated[
        str, typer.Option("--dialect", help="What is spoken, for --record: a dialect, or ./mybank.toml.")
    ] = "unionpay",
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="Written once it accepts: addresses in use.")
    ] = None,
) -> None:
    """Stand between terminals and a host, and do harm to their connections, until Ctrl-C or SIGTERM."""
    options = ProxyOptions(
        listen=parse_address(listen, f"--listen {listen}"),
        upstream=parse_address(upstream, f"--upstream {upstream}"),
        toxics=toxics,
        seed=seed,
        http=None if http == "off" else parse_address(http, f"--http {http}"),
        name=name,
        record=record,
        dialect=dialect,
        ready_file=ready_file,
    )

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        running = RunningProxy(options, lambda text: typer.echo(text, err=True))
        ready = await running.start()
        typer.echo(json.dumps(ready))
        await stopping.wait()
        await running.stop()

    asyncio.run(until_stopped())


class RunningProxy:
    """A proxy with all that belongs to it; `tell` gets a line for each thing that fails."""

    def __init__(self, options: ProxyOptions, tell: Callable[[str], None]) -> None:
        self._options = options
        self._tell = tell
        self._web: Any = None
        self._recorder: Recorder | None = None
        self.proxies: Proxies

    async def start(self) -> dict[str, Any]:
        """What accepts, and where; raises UsageError with one clear line."""
        from pos_host.proxy.proxies import Conflict, Proxies
        from pos_host.proxy.toxic_documents import ToxicError, read_toxic_file

        options = self._options
        toxics: list[ToxicSpec] = []
        seed = options.seed or 0
        if options.toxics is not None:
            file = read_toxic_file(options.toxics)
            toxics, seed = file.toxics, file.seed if options.seed is None else options.seed
        self.proxies = Proxies(seed, self._tap(), self._tell)
        where = {"listen": _text(options.listen), "upstream": _text(options.upstream)}
        try:
            proxy = await self.proxies.add({"name": options.name, **where})
            await proxy.set_toxics(toxics)
            http = await self._start_http()
        except (ToxicError, Conflict) as error:
            await self.stop()
            raise UsageError(f"--{error}") from None
        except OSError as error:
            await self.stop()
            raise UsageError(f"--listen {_text(options.listen)}: {error.strerror or error}") from None
        ready = {"host": proxy.listen[0], "port": proxy.listen[1], "upstream": where["upstream"], "http": http}
        if options.ready_file is not None:
            try:
                _write_whole(options.ready_file, json.dumps(ready) + "\n")
            except OSError as error:
                await self.stop()
                raise UsageError(f"--ready-file {options.ready_file}: {error.strerror or error}") from None
        return ready

    async def stop(self) -> None:
        """Close everything, the recording last."""
        await self.proxies.close()
        if self._web is not None:
            await self._web.stop()
        if self._recorder is not None:
            self._recorder.close()
        if self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)

    def _tap(self) -> Callable[[Link, str, bytes], None]:
        """Who is told of the bytes: nobody without `--record`."""
        options = self._options
        if options.record is None:
            return lambda link, stream, data: None
        from pos_host.proxy.wire_tap import WireTap
        from pos_host.recording.recorder import Recorder, open_recording
        from pos_specs.errors import DialectError
        from pos_specs.language import open_language

        try:
            language = open_language(options.dialect)
        except DialectError as error:
            raise UsageError(f"--dialect {error}") from None
        out = open_recording(options.record)
        self._recorder = Recorder(out, secrets.token_bytes, "pos-host proxy", _now_ms())
        return WireTap(self._recorder, language, _now_ms, self._tell).heard

    async def _start_http(self) -> str | None:
        """The API's URL, None when it is off; its libraries are imported here alone."""
        options = self._options
        if options.http is None:
            return None
        api = importlib.import_module("pos_host.proxy.proxy_api")
        self._web = importlib.import_module("pos_host.admin.web").Web()
        version = str(importlib.import_module("importlib.metadata").version("pos-host"))
        try:
            return str(await self._web.start(api.make_proxy_app(self.proxies, version), *options.http))
        except OSError as error:
            self._web = None
            raise UsageError(f"--http {_text(options.http)}: {error.strerror or error}") from None


def _write_whole(path: Path, text: str) -> None:
    """Write a file that nobody can see half of."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
