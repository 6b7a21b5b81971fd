"""A pretend CXM that behaves as others report of Jadu. Not the product, and not verified against it.

A sign-in gives a token that is good for thirty minutes and goes with an API key; what changed is told by a saved filter
alone, the most recent change first, in numbered pages.
"""

from sandbox.jadu.system import Jadu

__all__ = ["Jadu"]
