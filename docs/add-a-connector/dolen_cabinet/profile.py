"""What a profile and a connection may say: closed models, so that a slip is told with file and line."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.profile import Name
from connectors.references import Closed, Text

ALL = frozenset({"changes", "fetch", "create", "update", "find"})


class Drawer(Closed):
    """One kind of record: a folder below the cabinet."""

    drawer: Name = Field(description="The folder's name.", examples=["referrals"])

    @property
    def offers(self) -> frozenset[str]:
        """Everything: a folder can be listed, and a file read and written."""
        return ALL


class CabinetProfile(Closed):
    """How cabinets of one make are spoken to."""

    system: Name = Field(description="The system's name.", examples=["cabinet"])
    protocol: Literal["cabinet"] = Field(description="Kind of interface.", examples=["cabinet"])
    records: dict[Name, Drawer] = Field(
        min_length=1,
        description="One section for each kind of record.",
        examples=[{"Referral": {"drawer": "referrals"}}],
    )


class CabinetSettings(Closed):
    """One council's cabinet."""

    folder: Text = Field(description="Where it is.", examples=["/srv/cabinet"])
    timeout_seconds: float = Field(default=10, gt=0, le=600, description="For any one call, in seconds.", examples=[10])
