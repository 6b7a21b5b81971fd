"""Open311 GeoReport v2, with the updates extension: requests for service, in XML or JSON."""
