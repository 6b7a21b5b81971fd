"""The peers: fast pretend systems for the benches, one REST shape for sources and targets, in one asyncio process.

They live in memory alone and are never killed, so that they can bear witness: every record, every write that came over
the wire, and, apart from both, everything that their staff typed. `python -m sandbox peers` starts them.
"""
