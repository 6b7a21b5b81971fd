"""How staff sign in to the pages, and stay signed in: what the pages and the interface for programs ask about a caller.

`Entrance` is made once for a site. `shielded` wraps the whole application: it refuses strange hosts and long bodies,
writes the headers that protect a page, and lets the four functions below find the entrance. `routes` are the few
addresses of signing in and out.
"""

from console.signin.asked import FIELD, Forged, check_csrf, csrf_token, entrance, officer_of
from console.signin.doors import routes
from console.signin.entrance import Entrance, entrance_of
from console.signin.notices import Notice
from console.signin.shield import shielded

__all__ = [
    "FIELD", "Entrance", "Forged", "Notice", "check_csrf", "csrf_token", "entrance", "entrance_of", "officer_of",
    "routes", "shielded",
]  # fmt: skip
