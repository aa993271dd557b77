"""TLS from files: who the host is, and whom it trusts. Loaded only where a certificate was given."""

from __future__ import annotations

import ssl
from pathlib import Path

from pos_host.options import TlsOptions, UsageError


def listening_context(options: TlsOptions) -> ssl.SSLContext:
    """TLS 1.2 or later for listeners; clients need a certificate of `client_ca` where that is given.

    Raises UsageError naming option and file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, options)
    if options.client_ca is not None:
        _load_trusted(context, "--tls-client-ca", options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def connecting_context(own: TlsOptions | None, trusted: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later for connections out; the host shows its own certificate where it has one.

    The peer's must bear the address connected to and come from one of `trusted`, or of those this machine trusts.
    Raises UsageError naming option and file.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if own is not None:
        _load_own(context, own)
    if trusted is None:
        context.load_default_certs()
    else:
        _load_trusted(context, "--connect-ca", trusted)
    return context


def why_refused(error: OSError) -> str:
    """Why a handshake failed, in one line; what came over the line is not in it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "TLS: the peer showed no certificate"
        return f"TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"
    return f"TLS: the handshake did not end ({error.strerror or type(error).__name__})"


def _load_own(context: ssl.SSLContext, own: TlsOptions) -> None:
    key = own.key or own.cert
    _check_readable("--tls-cert", own.cert)
    _check_readable("--tls-key", key)
    try:
        context.load_cert_chain(own.cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"--tls-key {key}: does not belong to the certificate {own.cert}") from None
        _load_trusted(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "--tls-cert", own.cert)
        raise UsageError(f"--tls-key {key}: no private key in PEM, or one with a password") from None


def _load_trusted(context: ssl.SSLContext, option: str, path: Path) -> None:
    _check_readable(option, path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise UsageError(f"{option} {path}: no certificate in PEM") from None


def _check_readable(option: str, path: Path) -> None:
    """OpenSSL's own complaint names neither."""
    try:
        path.read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from None
