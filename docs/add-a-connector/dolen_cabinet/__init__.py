"""A family of its own for Dolen: systems that keep one JSON file a record in a folder, named after our key.

This is the worked example of docs/add-a-connector.md. It is small, and it is whole: it passes `dolen conform`.
"""

from connectors.family import Family

FAMILY = Family(
    profile="dolen_cabinet.profile:CabinetProfile",
    settings="dolen_cabinet.profile:CabinetSettings",
    connector="dolen_cabinet.connector:CabinetConnector",
    neutral="dolen_cabinet.connector:interfaces_of",
)
