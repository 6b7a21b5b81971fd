"""GOV.UK Notify through its official client, behind our own door: deadline, size cap, no redirects."""

from connectors.notify.connector import NotifyConnector
from connectors.notify.profile import NotifyProfile, NotifySettings

__all__ = ["NotifyConnector", "NotifyProfile", "NotifySettings"]
