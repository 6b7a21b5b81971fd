"""Where a site's databases, broker and main key are, as its settings say: by URL or by reference.

Apart from the settings' models, so that whoever knows these few lines already need not build them. Secrets are looked
up when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.secrets import resolve

#: How a main key is named that a key service holds.
SERVICE = "service:"


@dataclass(frozen=True, slots=True)
class Places:
    """The settings `data`, `ledger.url`, `broker.url` and those of `keys`, as they are written."""

    root: Path
    data: str
    ledger: str = field(repr=False)
    broker: str = field(repr=False)
    keys: str = field(repr=False)
    main: str
    next: str | None = None

    @property
    def data_folder(self) -> Path:
        """Where the running site writes."""
        return self.root / self.data

    def secret(self, reference: str, environment: Mapping[str, str] | None = None) -> str:
        """Resolve `env:NAME` or `file:PATH` (relative to the site). Raises SecretMissing."""
        return resolve(reference, beside=self.root, environment=environment)

    def plain(self, value: str, environment: Mapping[str, str] | None = None) -> str:
        """Return a value that may be a reference, resolved; any other as it stands. Raises SecretMissing."""
        return self.secret(value, environment) if value.startswith(("env:", "file:")) else value

    def ledger_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The database's URL, with an SQLite path made absolute. Raises SecretMissing."""
        return self._database(self.ledger, environment)

    def keys_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The URL of the database of the keys, in the same way. Raises SecretMissing."""
        return self._database(self.keys, environment)

    def broker_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The broker's URL. Raises SecretMissing."""
        return self.plain(self.broker, environment)

    def _database(self, setting: str, environment: Mapping[str, str] | None) -> str:
        url = self.plain(setting, environment)
        scheme, mark, path = url.partition(":///")
        if not scheme.startswith("sqlite") or not mark or path.startswith(("/", ":memory:")) or not path:
            return url
        return f"{scheme}:///{(self.data_folder / path).resolve().as_posix()}"
