"""psec and pyemv, kept from asking cryptography for 3DES at the place it is about to leave.

Both say `algorithms.TripleDES(key)`, which warns each time of the place and of the length of the key. A filter for
warnings would be global, lost wherever somebody resets filters, and would not help on the day the name is gone; so
the modules that say it get an `_algorithms` of their own. The name is private to them: a test holds it in place.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType, SimpleNamespace

from pos_specs.security.ciphers import triple_des


@cache
def quiet_psec() -> ModuleType:
    """psec, loaded at the first call."""
    import psec

    _give_triple_des(psec.des, psec.mac)
    return psec


@cache
def quiet_pyemv() -> ModuleType:
    """pyemv, loaded at the first call."""
    import pyemv

    _give_triple_des(pyemv.tools, pyemv.mac)
    return pyemv


def _give_triple_des(*modules: ModuleType) -> None:
    for module in modules:
        module._algorithms = SimpleNamespace(TripleDES=triple_des)  # type: ignore[attr-defined]
