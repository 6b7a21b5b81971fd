"""Keeps the libraries under this room from logging: their debug lines hold addresses, bodies and error texts.

What is worth knowing leaves this room as a named error or a proof. A logger's level alone can be set back by whoever
configures logging later, so the way up to the root is closed as well.
"""

from __future__ import annotations

import logging

TALKATIVE = ("urllib3", "requests", "zeep", "notifications_python_client", "charset_normalizer")


def silence_libraries() -> None:
    """Silence them. May be called any number of times; every connector does so when it is made."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
