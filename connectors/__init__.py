"""THE WIRE: how a supplier's system is spoken to.

Knows sessions, SOAP, REST, paging, logins and faults; never a referral, a queue or a ledger.
"""
