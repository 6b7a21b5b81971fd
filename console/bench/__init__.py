"""The benches, part of the product: a council can have the same proof on its own machine that the project has.

`dolen bench faults` moves referrals between fast pretend systems while it kills, freezes, cuts and fills whatever it
can, and then compares the systems with what was typed into them.
"""
