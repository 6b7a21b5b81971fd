"""The page of the referral's fields, `docs/reference/referral.md`, made from their declarations.

`python -m mappings.reference docs/reference/referral.md` writes it; a test compares it with what is written there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mappings.declaration import Field, declared
from mappings.meta import Kind, Sensitivity
from mappings.referral import SCHEMA_VERSION

_INTRODUCTION = f"""# The referral

This page is made from the declarations of the fields (`python -m mappings.reference docs/reference/referral.md`). Do
not edit it by hand: a test compares the two. It is version {SCHEMA_VERSION} of the field list; `dolen schema` prints
the same as JSON Schema, with codes and Welsh labels. The Welsh labels await a Welsh checker.

Mappings pair these fields with a system's own ([mapping files](mapping-files.md)). **How often**: `1` must be there,
`?` may be there, `*` may be there many times. **Shown as**: `plain` tells nobody who somebody is; `identifying` and
`special category` are masked on screens, in logs, exports and alerts. An object is as sensitive as the strictest
field in it.
"""
_SHOWN = {
    Sensitivity.NONE: "plain",
    Sensitivity.IDENTIFYING: "identifying",
    Sensitivity.SPECIAL: "special category",
}


def referral_page() -> str:
    """Return the whole page as Markdown."""
    heads = ("field", "in Welsh", "what it is", "kind", "how often", "shown as", "standard")
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    rows += [_row(field) for field in declared().values()]
    codes = ["## Our own code lists", "", "Other coded fields take a standard's codes or a council's own.", ""]
    for field in declared().values():
        if field.meta.codes is not None:
            shown = ", ".join(f"`{code.value}` ({code.cy} / {code.en})" for code in field.meta.codes)
            codes.append(f"- `{field.path}`: {shown}")
    return "\n".join([_INTRODUCTION, *rows, "", *codes, ""])


def _row(field: Field) -> str:
    meta = field.meta
    kind = meta.kind.value if meta.kind is not Kind.OBJECT else "fields below"
    if meta.most:
        kind += f", {meta.most} characters are plenty"
    words, often = f"{meta.en}. {meta.about}", f"`{meta.card}`"
    cells = (f"`{field.path}`", meta.cy, words, kind, often, _SHOWN[field.strictest], meta.standard)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: list[str]) -> int:
    """Write the page to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m mappings.reference FILE\n")
        return 2
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(referral_page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
