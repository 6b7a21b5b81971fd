"""`dolen demo`: three pretend councils, a real `dolen run` between their systems, and proof at the end.

Everything here drives what an administrator would drive: the sandbox as a process of its own, the site's files, the
command line, the support desk. What it counts as lost or doubled comes from the sandbox's own account alone.
"""
