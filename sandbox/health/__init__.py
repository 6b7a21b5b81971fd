"""The pretend health service's FHIR R4 server, for Patient, ServiceRequest and Task: a stranger to all the rest."""

from sandbox.health.system import Health

__all__ = ["Health"]
