"""Holding a live system against the contract of `connectors.port`: what is asked, what comes, what is wanted.

A council runs this against its supplier's test system (`dolen conform`), and our own tests run it against every peer.
"""
