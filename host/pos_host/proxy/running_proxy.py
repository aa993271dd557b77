"""A proxy with all that belongs to it: its links, its API, its recording, its ready file."""

from __future__ import annotations

import importlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pos_host.options import UsageError
from pos_host.os_errors import why_not_opened
from pos_host.ready_file import remove_ready_file, write_ready_file
from pos_specs.network_address import shown_address
from pos_specs.release import release

if TYPE_CHECKING:
    from pos_host.proxy.link import Link
    from pos_host.proxy.proxies import Proxies
    from pos_host.proxy.toxic_documents import ToxicSpec
    from pos_host.recording.recorder import Recorder


@dataclass(frozen=True)
class ProxyOptions:
    """What a proxy is started with."""

    listen: tuple[str, int]
    upstream: tuple[str, int]
    toxics: Path | None = None
    seed: int | None = None
    http: tuple[str, int] | None = None
    name: str = "pos"
    record: Path | None = None
    dialect: str = "unionpay"
    ready_file: Path | None = None


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
        where = {"listen": shown_address(*options.listen), "upstream": shown_address(*options.upstream)}
        try:
            proxy = await self.proxies.add({"name": options.name, **where})
            await proxy.set_toxics(toxics)
            http = await self._start_http()
        except (ToxicError, Conflict) as error:
            await self.stop()
            raise UsageError(f"--{error}") from None
        except OSError as error:
            await self.stop()
            raise UsageError(f"--listen {shown_address(*options.listen)}: {why_not_opened(error)}") from None
        ready = {"host": proxy.listen[0], "port": proxy.listen[1], "upstream": where["upstream"], "http": http}
        if options.ready_file is not None:
            try:
                write_ready_file(options.ready_file, ready)
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
        remove_ready_file(self._options.ready_file)

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
        version = release()
        try:
            return str(await self._web.start(api.make_proxy_app(self.proxies, version), *options.http))
        except OSError as error:
            self._web = None
            raise UsageError(f"--http {shown_address(*options.http)}: {why_not_opened(error)}") from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
