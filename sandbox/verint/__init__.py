"""A pretend CRM that behaves as others report of Verint (formerly Lagan). Not the product, and not verified against it.

Cases are searched by last change from and to, in one answer without pages; closing, reopening, notes and events have
operations of their own; a case has no version.
"""

from sandbox.verint.system import Verint

__all__ = ["Verint"]
