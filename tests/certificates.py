"""Certificates made at run time: an authority of the tests, and what it issues."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WEEK = timedelta(days=7)


class Authority:
    """An authority with its own certificate in `ca`, a PEM file in `folder`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder, self.name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _subject(name)
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(_pem(self._signed(self._subject, self._key.public_key(), is_authority=True)))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of somebody at 127.0.0.1, two PEM files."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert_file.write_bytes(_pem(self._signed(_subject(name), key.public_key(), is_authority=False)))
        key_file.write_bytes(private(key))
        return cert_file, key_file

    def client(self, cert: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """A client that trusts this authority, with a certificate of its own or without one."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if cert is not None:
            context.load_cert_chain(*cert)
        return context

    def server(self, name: str) -> ssl.SSLContext:
        """A server certified by this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name))
        return context

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - WEEK)
            .not_valid_after(now + WEEK)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )


def private(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    """A key in PEM, enciphered where there is a password."""
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
