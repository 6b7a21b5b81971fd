"""The pretend social-care case system: SOAP 1.1 and 1.2, strict, local times, whole-record replace, searchable by key.

`Casework` is the system; `interfaces/casework.wsdl` beside this package is what it promises and checks every request
by.
"""

from sandbox.casework.system import Casework

__all__ = ["Casework"]
