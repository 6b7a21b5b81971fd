"""Reading a plain YAML file quickly: libyaml's parser, for files of which it says the same as ruamel.yaml's.

ruamel.yaml reads YAML 1.2 and says what is wrong in words that a person understands, and takes ten times as long: most
of what a command of Dolen did before its work. libyaml knows YAML 1.1, so it is believed only where the two cannot
differ. Whatever it refuses, whatever has a finding, and what the two are known to read or place differently (block
scalars, keys without a value, tabs, other line ends) is left to the slow one.
"""

from __future__ import annotations

from typing import Any

import yaml

from config.nodes import Tree

#: The parser in C, which PyYAML has wherever it was built with libyaml, as all of its wheels are.
_PARSER: Any = getattr(yaml, "CBaseLoader", None)
#: A tab, of which libyaml takes more; and line ends of YAML 1.1, behind which the two count differently.
_ODD = ("\t", "\r", "\x85", "\u2028", "\u2029")


def quick_tree(text: str, name: str) -> Tree | None:
    """Read a file; None where the slow parser has to. `name`: what the file is called."""
    if _PARSER is None or any(sign in text for sign in _ODD):
        return None
    tree = Tree(name)
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            if type(event) is yaml.ScalarEvent:
                if event.style in ("|", ">") or not (event.style or event.value):
                    return None
                event.style = event.style or None
            if not tree.take(event):
                return None
    except Exception:  # whatever it is, the other parser has the words for it
        return None
    return None if tree.findings else tree
