"""`pos-host record`: recordings out of captures, and captures out of recordings."""

from __future__ import annotations

import secrets
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from pos_host.options import UsageError

LARGEST_PORT = 65_535
DEFAULT_PORT = 8583
"""Where an exported host listens; what Wireshark is told to decode."""

record_app = typer.Typer(name="record", no_args_is_help=True, help="Recordings: from captures, and to captures.")


@record_app.command("import")
def import_command(
    capture: Annotated[Path, typer.Argument(metavar="FILE.pcap[ng]", help="What Wireshark or tcpdump wrote.")],
    port: Annotated[int, typer.Option("--port", help="The host's TCP port.")],
    out: Annotated[Path | None, typer.Option("--out", help="The recording; by default FILE.jsonl.")] = None,
    dialect: Annotated[str, typer.Option("--dialect", help="A dialect, or a file ./mybank.toml.")] = "unionpay",
) -> None:
    """Make a recording out of the connections to one port in a capture; card numbers are replaced."""
    from pos_host.recording.capture_file import CaptureError, read_capture
    from pos_host.recording.capture_import import import_streams
    from pos_host.recording.recorder import Recorder, open_recording
    from pos_host.recording.tcp_segments import segments_of
    from pos_host.recording.tcp_streams import streams_of
    from pos_specs.errors import DialectError
    from pos_specs.language import open_language

    _check_port(port)
    try:
        language = open_language(dialect)
        chunks = streams_of(segments_of(read_capture(capture)), port)
        first = next(chunks, None)
        if first is None:
            raise UsageError(f"{capture}: holds no TCP data to or from port {port}")
        path = out or capture.with_suffix(".jsonl")
        recorder = Recorder(
            open_recording(path, "--out"), secrets.token_bytes, f"import of {capture.name}", round(first.at_ms)
        )
        try:
            found = import_streams(chain([first], chunks), recorder, language)
        finally:
            recorder.close()
    except DialectError as error:
        raise UsageError(f"--dialect {error}") from None
    except CaptureError as error:
        raise UsageError(str(error)) from None
    told = f"{path}: {found.frames} frames of {found.connections} connections"
    typer.echo(f"{told}, {found.gaps} gaps, {found.broken} that could not be cut into frames")


@record_app.command("export")
def export_command(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.pcap", help="The capture to write; a new file.")],
    port: Annotated[int, typer.Option("--port", help="The host's TCP port in the capture.")] = DEFAULT_PORT,
) -> None:
    """Write a recording as a capture, so that Wireshark shows its conversations."""
    from pos_host.recording.capture_export import capture_of
    from pos_specs.recording import RecordingError, read_recording

    _check_port(port)
    try:
        frames = read_recording(recording)
        with out.open("xb") as file:
            for piece in capture_of(frames, port):
                file.write(piece)
    except RecordingError as error:
        raise UsageError(str(error)) from None
    except FileExistsError:
        raise UsageError(f"{out}: is there already, and is not overwritten") from None
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}") from None
    kept = sum(1 for frame in frames if frame.frame)
    typer.echo(f"{out}: {kept} frames, {len(frames) - kept} left out that were recorded without their bytes")


def from_recording_command(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The rule file to write; by default standard output.")
    ] = None,
    dialect: Annotated[
        str | None, typer.Option("--dialect", help="Instead of those the recording names: ./mybank.toml.")
    ] = None,
) -> None:
    """Make stub rules out of a recording: our host then answers as the recorded one did."""
    import yaml

    from pos_host.recording.stub_rules import stub_rules
    from pos_specs.errors import DialectError
    from pos_specs.language import open_language
    from pos_specs.recorded_exchanges import exchanges_of
    from pos_specs.recording import RecordingError, read_recording

    try:
        exchanges = exchanges_of(read_recording(recording), lambda name: open_language(dialect or name))
    except RecordingError as error:
        raise UsageError(str(error)) from None
    except DialectError as error:
        raise UsageError(f"--dialect {error}") from None
    rules = stub_rules(exchanges)
    head = f"# Made of {recording.name} by pos-host rules from-recording: {len(rules)} rules.\n"
    text = head + yaml.safe_dump({"rules": rules}, sort_keys=False, allow_unicode=True, width=110)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"--out {out}: is there already, and is not overwritten") from None
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror or error}") from None


def _check_port(port: int) -> None:
    if not 0 < port <= LARGEST_PORT:
        raise UsageError(f"--port {port}: from 1 to {LARGEST_PORT}")
