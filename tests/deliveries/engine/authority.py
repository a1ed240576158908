"""Certificates, good and bad, of an authority that only the tests know."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority of the tests; `bundle` is the file to trust it by."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        certificate = self._certificate(self._name, self._key, self._name, self._key, days=2, authority=True)
        self.bundle = str(folder / "authority.pem")
        Path(self.bundle).write_bytes(certificate)

    def context(self, host: str = "localhost", *, days: int = 1, self_signed: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `host`; negative `days`: expired so long ago."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem(host, days=days, self_signed=self_signed))
        return context

    def pem(self, host: str = "localhost", *, days: int = 1, self_signed: bool = False) -> str:
        """The file with such a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issuer, issuer_key = (name, key) if self_signed else (self._name, self._key)
        pem = self._certificate(name, key, issuer, issuer_key, days=days, host=host)
        private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path = self._folder / f"{host}{days}{self_signed}.pem"
        path.write_bytes(key.private_bytes(*private) + pem)
        return str(path)

    @staticmethod
    def _certificate(
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Name,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        days: int,
        host: str = "authority.test",
        authority: bool = False,
    ) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
