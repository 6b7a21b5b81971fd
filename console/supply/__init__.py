"""What Dolen stands on: which packages are installed, and what is publicly known against them.

It looks at this installation and at files that it is given, and knows nothing of sites, ledgers or people.
"""
