"""Every framing a dialect file can name, for tests that must hold in all of them."""

from __future__ import annotations

from itertools import product

from pos_specs.envelope import Framing
from pos_specs.length_counters import LENGTH_COUNTERS

MOST_BYTES = 300


def _lengths() -> dict[str, Framing]:
    """Every counter, alone and counting itself."""
    framings = {}
    for length, counts in product(LENGTH_COUNTERS, ((), ("itself",))):
        name = " counting ".join((length, *counts))
        framings[name] = Framing(length, "swap", "none", MOST_BYTES, counts=counts)
    return framings


def _trailers() -> dict[str, Framing]:
    """STX, ETX and LRC around messages, with and without a length."""
    stx_lrc = Framing("bcd2", "none", "none", MOST_BYTES, start="stx", trailer="etx-lrc")
    return {
        "etx alone": Framing("none", "none", "none", MOST_BYTES, trailer="etx"),
        "stx, etx and lrc": Framing("none", "none", "none", MOST_BYTES, start="stx", trailer="etx-lrc"),
        "binary2 and etx": Framing("binary2", "none", "none", MOST_BYTES, trailer="etx"),
        "binary2 counting etx": Framing("binary2", "none", "base24", MOST_BYTES, counts=("trailer",), trailer="etx"),
        "binary2 counting all": Framing(
            "binary2", "swap", "none", MOST_BYTES, counts=("itself", "trailer"), trailer="etx-lrc"
        ),
        "stx, bcd2, etx and lrc": stx_lrc,
    }


def _heads() -> dict[str, Framing]:
    """Every kind of TPDU and header."""
    tpdus = [
        Framing("binary2", "swap", "unionpay", MOST_BYTES),
        Framing("binary2", "echo", "unionpay", MOST_BYTES),
        Framing("binary2", "swap", "hex:0100", MOST_BYTES),
        Framing("ascii4", "none", "text:ISO8583-1993#########", MOST_BYTES),
        Framing("binary2", "none", "text:A|B", MOST_BYTES),
        Framing("binary4", "echo", "hex:D0xx|E0xx", MOST_BYTES, header_answer="hex:x1FF"),
        Framing("binary2", "none", "base24", MOST_BYTES),
    ]
    return {f"tpdu {framing.tpdu}, header {framing.header}": framing for framing in tpdus}


FRAMINGS = {**_lengths(), **_trailers(), **_heads()}
