"""The `pos-host` command: its verbs and options. Each verb imports what it needs when it is used."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pos_host.cli_config import config_option
from pos_host.options import (
    NotDone,
    ServeOptions,
    UsageError,
    parse_address,
    parse_clock,
    parse_connect,
    parse_listeners,
    parse_mac,
    parse_store,
    parse_tls,
)
from pos_specs.release import release

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A POS acquirer's host that speaks ISO 8583.",
)

LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_STORE = "sqlite:///var/pos-host.db"


def _show_release(asked: bool) -> None:
    if asked:
        typer.echo(f"pos-host {release()}")
        raise typer.Exit


@app.callback()
def before_every_verb(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_release, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run the command: 0 done, 1 what was asked for failed, 2 bad usage or bad input, in one line on standard error."""
    if sys.argv[1:2] == ["serve"]:
        gc.disable()  # what a start makes stays: walking it again and again finds nothing. A started host enables it
    raise SystemExit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """The command with these arguments; gives its exit code."""
    if arguments[:1] != ["serve"]:
        add_other_verbs()
    try:
        code = app(arguments or ["--help"], standalone_mode=False, prog_name="pos-host")
    except UsageError as error:
        return _complain(str(error))
    except NotDone as error:
        _complain(str(error))
        return 1
    except TyperException as error:
        return _complain(error.format_message())
    except (Abort, KeyboardInterrupt):
        return 1
    return code if isinstance(code, int) else 0


def _complain(text: str) -> int:
    """One line; none where a group of verbs without a verb has shown its help already."""
    if text:
        typer.echo(f"pos-host: {' '.join(text.split())}", err=True)
    return 2


def add_other_verbs() -> None:
    """Every verb but `serve` and those beside it in this file, once: they load what a host that starts has no use
    for."""
    if any(command.name == "decode" for command in app.registered_commands):
        return
    from pos_host.verbs.account import accounts_app
    from pos_host.verbs.account_change import account_changes_app
    from pos_host.verbs.application import applications_app
    from pos_host.verbs.calendar import calendars_app
    from pos_host.verbs.card import cards_app
    from pos_host.verbs.certify import certify_command
    from pos_host.verbs.closure import closures_app, diagnose_command
    from pos_host.verbs.complaint import complaints_app
    from pos_host.verbs.decode import decode_command, encode_command
    from pos_host.verbs.dialect import dialects_app
    from pos_host.verbs.document import documents_app
    from pos_host.verbs.escalation import escalations_app, remind
    from pos_host.verbs.fee import fees_app
    from pos_host.verbs.fee_schedule import add_schedule_verbs
    from pos_host.verbs.holder_change import holder_changes_app
    from pos_host.verbs.look_back import look_back, patterns
    from pos_host.verbs.merchant import add_terminal_command, merchants_app
    from pos_host.verbs.message import messages_command
    from pos_host.verbs.payout import payouts_app
    from pos_host.verbs.policy import policies_app
    from pos_host.verbs.proxy import proxy_command
    from pos_host.verbs.record import from_recording_command, record_app
    from pos_host.verbs.report import report_app
    from pos_host.verbs.right import rights_app
    from pos_host.verbs.rules import rules_app
    from pos_host.verbs.user import audit_command, users_app

    app.command("decode")(decode_command)
    app.command("encode")(encode_command)
    app.add_typer(dialects_app)
    app.add_typer(cards_app)
    app.add_typer(fees_app)
    app.add_typer(merchants_app)
    terminals_app.command("add")(add_terminal_command)
    add_schedule_verbs(fees_app)
    app.add_typer(policies_app)
    app.add_typer(calendars_app)
    rules_app.command("from-recording")(from_recording_command)
    app.add_typer(rules_app)
    app.command("messages")(messages_command)
    app.add_typer(users_app)
    app.command("audit")(audit_command)
    app.add_typer(payouts_app)
    app.add_typer(report_app)
    report_app.command("look-back")(look_back)
    report_app.command("patterns")(patterns)
    app.add_typer(applications_app)
    app.add_typer(escalations_app)
    app.command("remind")(remind)
    app.add_typer(closures_app)
    for details_app in (
        accounts_app, account_changes_app, holder_changes_app, documents_app, complaints_app, rights_app
    ):  # fmt: skip
        app.add_typer(details_app)
    app.command("diagnose")(diagnose_command)
    app.command("proxy")(proxy_command)
    app.add_typer(record_app)
    app.command("certify")(certify_command)


def _env(name: str) -> str:
    return f"POS_HOST_{name}"


@app.command()
def serve(
    listen: Annotated[
        list[str] | None,
        typer.Option(envvar=_env("LISTEN"), help="ADDR:PORT=DIALECT (or =auto, or off); by default 8583 to 8585."),
    ] = None,
    store: Annotated[
        str, typer.Option(envvar=_env("STORE"), help="sqlite:///FILE, or memory: for nothing kept.")
    ] = DEFAULT_STORE,
    mqtt: Annotated[
        str, typer.Option(envvar=_env("MQTT"), help="embedded, embedded:PORT, mqtt://…, mqtts://… or off.")
    ] = "embedded",
    mqtt_prefix: Annotated[
        str, typer.Option(envvar=_env("MQTT_PREFIX"), help="What every topic begins with.")
    ] = "pos-host/v1",
    http: Annotated[
        str, typer.Option(envvar=_env("HTTP"), help="ADDR:PORT of the admin API, or off.")
    ] = "127.0.0.1:8580",
    enrol: Annotated[
        str, typer.Option(envvar=_env("ENROL"), help="open: unknown terminals are enrolled; strict: refused.")
    ] = "open",
    mac: Annotated[
        str, typer.Option(envvar=_env("MAC"), help="off, verify (a MAC that is there) or require (one that must be).")
    ] = "verify",
    keys: Annotated[
        Path | None, typer.Option(envvar=_env("KEYS"), help="Key file (TOML); by default the published test keys.")
    ] = None,
    clock: Annotated[str, typer.Option(envvar=_env("CLOCK"), help="system, manual or manual:ISO-TIME.")] = "system",
    policy: Annotated[Path | None, typer.Option(envvar=_env("POLICY"), help="Settlement policy (TOML).")] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(envvar=_env("READY_FILE"), help="Written once everything accepts; holds the token."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(envvar=_env("TLS_CERT"), help="The host's certificate (PEM): TLS on all listeners.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(envvar=_env("TLS_KEY"), help="Its key; by default in the certificate's file.")
    ] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(envvar=_env("TLS_CLIENT_CA"), help="Clients need a certificate of one of these.")
    ] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option(envvar=_env("CONNECT"), help="[tls://]ADDR:PORT=DIALECT of a concentrator, repeatable."),
    ] = None,
    connect_ca: Annotated[
        Path | None, typer.Option(envvar=_env("CONNECT_CA"), help="Who certifies concentrators; by default the system.")
    ] = None,
    products: Annotated[
        Path | None, typer.Option(envvar=_env("PRODUCTS"), help="Which cards are charged as what (TOML).")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(envvar=_env("RULES"), help="Rule file, or a shipped one by name (magic-amounts); repeatable."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(envvar=_env("SEED"), min=0, help="What chance in rules is drawn from.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(envvar=_env("RECORD"), help="Record all messages to this new file, cards replaced.")
    ] = None,
    log_level: Annotated[str, typer.Option(envvar=_env("LOG_LEVEL"), help="debug, info, warning or error.")] = "info",
    log_format: Annotated[str | None, typer.Option(envvar=_env("LOG_FORMAT"), help="json or console.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=config_option,
            envvar=_env("CONFIG"),
            help="TOML file with these options as keys.",
        ),
    ] = None,
) -> None:
    """Start the host and serve terminals until Ctrl-C or SIGTERM."""
    from pos_host.app import run
    from pos_host.logs import log_from

    if log_level not in LOG_LEVELS:
        raise UsageError(f"--log-level {log_level}: must be one of {', '.join(LOG_LEVELS)}")
    if log_format not in (None, "json", "console"):
        raise UsageError(f"--log-format {log_format}: must be json or console")
    if enrol not in ("open", "strict"):
        raise UsageError(f"--enrol {enrol}: must be open or strict")
    options = ServeOptions(
        listen=parse_listeners(listen),
        store=parse_store(store),
        mqtt=mqtt,
        mqtt_prefix=mqtt_prefix,
        http=None if http == "off" else parse_address(http, f"--http {http}"),
        enrol=enrol,
        manual_clock_ms=parse_clock(clock, time.time_ns() // 1_000_000),
        policy=policy,
        mac=parse_mac(mac),
        keys=keys,
        ready_file=ready_file,
        tls=parse_tls(tls_cert, tls_key, tls_client_ca),
        connect=tuple(parse_connect(text) for text in connect or ()),
        connect_ca=connect_ca,
        products=products,
        rules=tuple(rules or ()),
        seed=seed,
        record=record,
    )
    log_from(log_level, lambda: _set_up_logging(log_level, log_format))
    run(options)


def _set_up_logging(level: str, form: str | None) -> None:
    from pos_host.log_setup import set_up_logging

    set_up_logging(level, form)


StoreOption = Annotated[str, typer.Option("--store", envvar=_env("STORE"), help="The store to read.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document per line.")]
TerminalOption = Annotated[str | None, typer.Option("--terminal-id", help="Only this terminal.")]
MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant.")]


terminals_app = typer.Typer(name="terminals", invoke_without_command=True)
app.add_typer(terminals_app)


@terminals_app.callback()
def terminals(context: typer.Context, store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """List the terminals with their current batch and flag, or add one."""
    if context.invoked_subcommand is None:
        from pos_host.verbs.store import show_terminals

        show_terminals(parse_store(store), as_json=as_json)


@app.command()
def unsettled(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """List the terminals that did not settle, worst first."""
    from pos_host.verbs.store import show_unsettled

    show_unsettled(parse_store(store), as_json=as_json)


@app.command()
def authorisations(
    store: StoreOption = DEFAULT_STORE,
    merchant_id: MerchantOption = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Only open, completed, voided, reversed or expired ones.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the pre-authorisations: open ones, and those that ended in a batch still remembered."""
    from pos_host.verbs.store import AUTHORISATION_STATES, show_authorisations

    if state not in (None, *AUTHORISATION_STATES):
        raise UsageError(f"--state {state}: must be one of {', '.join(AUTHORISATION_STATES)}")
    show_authorisations(parse_store(store), merchant_id, state, as_json=as_json)


@app.command()
def batches(
    store: StoreOption = DEFAULT_STORE,
    terminal_id: TerminalOption = None,
    merchant_id: MerchantOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the batches, the terminal's totals beside the host's."""
    from pos_host.verbs.store import show_batches

    show_batches(parse_store(store), terminal_id, merchant_id, as_json=as_json)


@app.command()
def transactions(
    store: StoreOption = DEFAULT_STORE,
    terminal_id: TerminalOption = None,
    merchant_id: MerchantOption = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Only the batch of this id.")] = None,
    stan: Annotated[str | None, typer.Option("--stan", help="Only this trace number.")] = None,
    rrn: Annotated[str | None, typer.Option("--rrn", help="Only this retrieval reference number.")] = None,
    card: Annotated[str | None, typer.Option("--card", help="Only this card, masked: 622202******0005.")] = None,
    response_code: Annotated[
        str | None, typer.Option("--response-code", help="Only what was answered with this code.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Not before; ISO 8601 with an offset.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Not after; ISO 8601 with an offset.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List what the journal holds, latest last; cards are masked."""
    from pos_host.transaction_search import wanted_of
    from pos_host.verbs.store import show_transactions

    try:
        wanted = wanted_of(batch, stan, rrn, card, response_code, since, until)
    except ValueError as error:
        raise UsageError(str(error)) from None
    show_transactions(parse_store(store), terminal_id, merchant_id, wanted, limit, as_json=as_json)


@app.command()
def verify(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Work out every total, state and result again from the entries; exit 0 only without differences."""
    from pos_host.verbs.store import verify_store

    raise typer.Exit(0 if verify_store(parse_store(store), as_json=as_json) else 1)


@app.command("migrate")
def migrate_command(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Bring the store of an older pos-host to the schema of this one; a host does so itself when it starts."""
    from pos_host.verbs.store import migrate_store

    migrate_store(parse_store(store), as_json=as_json)
