"""TLS to a host, from files. Loaded only where TLS was asked for."""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsError(ValueError):
    """A file that TLS needs is not there or does not fit; the text names option and file."""


def client_context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later to a host that bears the name connected to.

    `ca` names those who may have certified it (None: whom this machine trusts); `cert` and `key` are what a host
    with mutual TLS wants to see, the key by default in the certificate's file. Raises TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
    else:
        _trust(context, "--tls-ca", ca)
    if cert is not None:
        _show(context, cert, key or cert)
    elif key is not None:
        raise TlsError(f"--tls-key {key}: needs --tls-cert")
    return context


def why_refused(error: ssl.SSLError) -> str:
    """Why a handshake failed, in one line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: the host's certificate is refused: {error.verify_message}"
    return f"TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"


def _show(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    _check_readable("--tls-cert", cert)
    _check_readable("--tls-key", key)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"--tls-key {key}: does not belong to the certificate {cert}") from None
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "--tls-cert", cert)
        raise TlsError(f"--tls-key {key}: no private key in PEM, or one with a password") from None


def _trust(context: ssl.SSLContext, option: str, path: Path) -> None:
    _check_readable(option, path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise TlsError(f"{option} {path}: no certificate in PEM") from None


def _check_readable(option: str, path: Path) -> None:
    """OpenSSL's own complaint names neither."""
    try:
        path.read_bytes()
    except OSError as error:
        raise TlsError(f"{option} {path}: {error.strerror or error}") from None
