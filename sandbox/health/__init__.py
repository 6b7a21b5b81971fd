"""The pretend health service's FHIR R4 server: Patient, ServiceRequest and Task, as a stranger to the rest would build it."""

from sandbox.health.system import Health

__all__ = ["Health"]
