"""What signing in and out has to say, in both languages, and a plain page for it where the pages lend none.

The Welsh is ours and waits for a Welsh checker.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say. `link`: where to go from here, and `go` in which words."""

    key: str
    status: int
    cy: str
    en: str
    link: str = ""
    go_cy: str = ""
    go_en: str = ""
    after: int = 0  # seconds until it may be tried again


#: key -> (status, Welsh, English)
WORDS: dict[str, tuple[int, str, str]] = {
    "link only": (
        401,
        "Agorwch y ddolen a argraffwyd pan gychwynnwyd Dolen. Mae'n gweithio unwaith, am ddeng munud.",
        "Open the link that was printed when Dolen was started. It works once, for ten minutes.",
    ),
    "used": (
        403,
        "Nid yw'r ddolen hon yn gweithio mwyach: mae wedi'i defnyddio neu'n rhy hen. Cychwynnwch y tudalennau eto.",
        "This link works no more: it was used, or it is too old. Start the pages again for a new one.",
    ),
    "refused": (
        403,
        "Ni allem eich mewngofnodi. Rhowch gynnig arall arni; os bydd yn digwydd eto, dywedwch wrth eich tîm TG.",
        "We could not sign you in. Try again; if it happens again, tell your IT team.",
    ),
    "no roles": (
        403,
        "Rydych wedi profi pwy ydych, ond nid oes gennych rôl yma. Gofynnwch i'ch tîm TG am un.",
        "You have proved who you are, but you hold no role here. Ask your IT team for one.",
    ),
    "away": (
        503,
        "Nid yw'r gwasanaeth mewngofnodi yn ateb. Rhowch gynnig arall arni ymhen munud.",
        "The sign-in provider does not answer. Try again in a minute.",
    ),
    "too often": (
        429,
        "Bu gormod o geisiadau. Arhoswch ychydig cyn rhoi cynnig arall arni.",
        "There were too many tries. Wait a while before you try again.",
    ),
    "signed out": (200, "Rydych wedi allgofnodi.", "You are signed out."),
    "forged": (
        403,
        "Ni wnaethom ddim: ni ddaeth y cais o dudalen agored o'n heiddo ni. Ewch yn ôl, ail-lwythwch a cheisiwch eto.",
        "Nothing was done: the request did not come from an open page of ours. Go back, reload, and try again.",
    ),
}


def notice(key: str, *, link: str = "", go: tuple[str, str] = ("", ""), after: int = 0) -> Notice:
    """Make a notice; `go`: the words of its link, Welsh and English."""
    status, cy, en = WORDS[key]
    return Notice(key, status, cy, en, link, *go, after)


AGAIN = ("Mewngofnodi", "Sign in")
PROVIDER_TOO = ("Allgofnodi o'ch cyfrif gwaith hefyd", "Sign out of your work account too")


def plain(_request: Request, said: Notice) -> Response:
    """A page without dress, in both languages."""
    parts = []
    for language, words, go in (("cy", said.cy, said.go_cy), ("en", said.en, said.go_en)):
        link = f'<p><a href="{html.escape(said.link)}">{html.escape(go)}</a></p>' if said.link else ""
        parts.append(f'<section lang="{language}"><p>{html.escape(words)}</p>{link}</section>')
    body = "".join(parts)
    page = f'<!DOCTYPE html><html lang="en"><head><title>Dolen</title></head><body><main>{body}</main></body></html>'
    headers = {"Retry-After": str(said.after)} if said.after else {}
    return HTMLResponse(page, said.status, headers)
