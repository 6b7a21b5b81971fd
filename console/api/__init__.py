"""The interface for programs, `/api/v1`: what the pages do, as REST with an OpenAPI description.

It asks the same rights and has the same sight as the pages and the command line. Values of records are in none of its
answers but that of unmasking, which takes a case-reader who is signed in.
"""

from console.api.app import application, beside

__all__ = ["application", "beside"]
