"""GOV.UK Notify through its official client, behind our own door: deadline, size cap, no redirects."""
