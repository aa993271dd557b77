"""`pos-host proxy`: harm to the connections between any terminal and any host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import parse_address


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
    name: Annotated[str, typer.Option("--name", help="The proxy's name in the API.")] = "pos",
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
    import asyncio
    import signal

    from pos_host.proxy.running_proxy import ProxyOptions, RunningProxy

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
