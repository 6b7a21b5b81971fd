"""The REST family: JSON over HTTP, spoken as a profile says.

A profile holds values and look-ups only, so that a system is connected from its OpenAPI file without Python.
What comes back is checked against the pinned interface before anybody believes it.
"""
