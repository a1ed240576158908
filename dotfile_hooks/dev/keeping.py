"""What `make run` keeps from one time to the next, and where."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from . import places, servers
from .processes import StartError


@dataclass
class Kept:
    """What must be the same the next time: kept in the ignored folder, readable by its owner only."""

    file: Path
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50), repr=False)
    encryption_key: str = field(default_factory=lambda: Fernet.generate_key().decode(), repr=False)
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    inspector_token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    api_key: str = field(default="", repr=False)
    webhook_id: str = ""

    @classmethod
    def load(cls, folder: Path) -> Kept:
        """What was kept in `folder`, or new values. Raises StartError."""
        file = folder / "run.json"
        try:
            values = json.loads(file.read_text()) if file.exists() else {}
            kept = cls(file, **values)
            if not all(isinstance(value, str) for value in values.values()):
                raise TypeError
        except (OSError, ValueError, TypeError, AttributeError):  # not with its text: the file holds keys
            raise StartError(
                f"{file} cannot be read. It holds the keys that the data of `make run` is encrypted with:"
                " repair it, or `make clean` to begin anew."
            ) from None
        kept.save()
        return kept

    def save(self) -> None:
        """Puts a whole new file in the place of the old: a crash in the middle must not cost the keys."""
        values = {name: value for name, value in asdict(self).items() if name != "file"}
        descriptor, draft = tempfile.mkstemp(prefix=f"{self.file.name}.", dir=self.file.parent)  # readable by us only
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(values, file)
                file.flush()
                os.fsync(descriptor)
            os.replace(draft, self.file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


def data_place(local: Path) -> str:
    """Where the data of `make run` is, for a person."""
    if servers.given():
        return f"The data is on the servers of DATABASE_URL and REDIS_URL; make clean removes its keys, in {local}."
    postgres = places.postgres_folder(local)
    also = "" if postgres.is_relative_to(local) else f" and {postgres.parent}"
    return f"The data stays in {local}{also} (make clean removes it)."
