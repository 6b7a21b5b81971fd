"""The laws of a mapping: what must come back the same when it goes there and back, tried with invented records.

`records` and `facts` invent both sides, `trips` says what must hold, `search` looks for what breaks it and makes it as
small as it can be. Only `dolen mapping laws` and the tests come here: hypothesis is not loaded by anything else.
"""
