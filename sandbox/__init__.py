"""THE PRETEND: council systems over real SOAP and REST, with faults on demand.

A process of its own that imports no other room.
"""
