"""How settings name councils where they do not list them."""

from __future__ import annotations

#: Instead of a list of councils: every council of the site, also those that are added later.
EVERY_COUNCIL = "all"
