"""The control desk for people: plain HTML pages and forms over what `control.py` can do.

Everything a record holds is escaped; forms answer with a redirect, so that going back never writes twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from sandbox.exchange import Request, Response
from sandbox.faults import KINDS, WrongFault
from sandbox.store import Document

if TYPE_CHECKING:
    from sandbox.control import Control

_STYLE = (
    "body{font:16px/1.4 sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}textarea{width:100%;font-family:monospace}"
)
_A_PAGE = 50


class Pages:
    """The pages under `/control/` and `/control/pages/`."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def answer(self, request: Request, steps: list[str]) -> Response:
        """Show a page or take a form. `steps` is the path behind `/control/pages`."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"))) if request.method == "POST" else None
        match steps:
            case []:
                return _page("Sandbox", self._index())
            case ["faults"] if form is not None:
                return self._switch(form)
            case ["faults-off"] if form is not None:
                self._control.switch_off(form.get("tenant", ""), form.get("system", ""), form.get("fault", ""))
                return _to("/control/")
            case [tenant, system]:
                return _page(f"{tenant}: {system}", self._records(tenant, system, request.query.get("after", "")))
            case [tenant, system, id] if form is not None:
                return self._save(tenant, system, id, form)
            case [tenant, system, id]:
                found = self._control.records(tenant, system).get(id)
                if found is not None:
                    return _page(f"{tenant}: {system} {id}", _form(found))
        return _page("Not here", "<p>There is no such page. <a href='/control/'>All systems</a></p>", 404)

    def _index(self) -> str:
        systems = "".join(
            f"<tr><td>{escape(each['tenant'])}</td><td><a href='/control/pages/{quote(each['tenant'])}/"
            f"{quote(each['system'])}'>{escape(each['system'])}</a></td><td>{each['records']}</td></tr>"
            for each in self._control.state()
        )
        on = "".join(
            _fault_row(place["tenant"], place["system"], name, settings)
            for place in self._control.faults_on()
            for name, settings in place["faults"].items()
        )
        places = sorted({(each["tenant"], each["system"]) for each in self._control.state()})
        options = "".join(f"<option>{escape(tenant)}/{escape(system)}</option>" for tenant, system in places)
        kinds = "".join(f"<option value='{name}'>{name}: {escape(it.words)}</option>" for name, it in KINDS.items())
        keys = ("tenant", "system", "operation", "outcome", "calls")
        calls = "".join(
            "<tr>" + "".join(f"<td>{escape(str(line[key]))}</td>" for key in keys) + "</tr>"
            for line in self._control.calls()
        )
        return (
            f"<h2>Systems</h2><table><tr><th>Council<th>System<th>Records</tr>{systems}</table>"
            f"<h2>Faults switched on</h2><table><tr><th>Council<th>System<th>Fault<th>Settings<th></tr>{on}</table>"
            "<form method='post' action='/control/pages/faults'>"
            f"<p><label>Where <select name='place'>{options}</select>"
            f"</label></p><p><label>Fault <select name='fault'>{kinds}</select></label></p><p><label>Settings, as JSON "
            "<input name='settings' size='50' value='{\"rate\": 1}'></label></p><button>Switch on</button></form>"
            "<h2>Calls since the start</h2><table><tr><th>Council<th>System<th>Operation<th>Outcome<th>Calls</tr>"
            f"{calls}</table>"
        )

    def _records(self, tenant: str, system: str, after: str) -> str:
        records = self._control.records(tenant, system)
        page = records.page(after=after, limit=_A_PAGE + 1)
        here = f"/control/pages/{quote(tenant)}/{quote(system)}"
        rows = "".join(
            f"<tr><td><a href='{here}/{quote(each.id, safe='')}'>{escape(each.id)}</a></td><td>{each.version}</td>"
            f"<td>{escape(each.changed)}</td><td>{escape(each.key)}</td></tr>"
            for each in page[:_A_PAGE]
        )
        more = f"<p><a href='{here}?after={quote(page[_A_PAGE - 1].id)}'>More</a></p>" if len(page) > _A_PAGE else ""
        return (
            f"<p><a href='/control/'>All systems</a> · {records.count()} records</p>"
            f"<table><tr><th>Record<th>Version<th>Changed (UTC)<th>Key</tr>{rows}</table>{more}"
        )

    def _save(self, tenant: str, system: str, id: str, form: Mapping[str, str]) -> Response:
        try:
            record = json.loads(form.get("record", ""))
        except ValueError:
            return _page("Not saved", "<p>The record is not JSON. Go back and mend it.</p>", 400)
        if not isinstance(record, dict):
            return _page("Not saved", "<p>The record must be a JSON object. Go back and mend it.</p>", 400)
        self._control.write(tenant, system, id, record, unchecked="unchecked" in form)
        return _to(f"/control/pages/{quote(tenant)}/{quote(system)}/{quote(id, safe='')}")

    def _switch(self, form: Mapping[str, str]) -> Response:
        tenant, _, system = form.get("place", "").partition("/")
        try:
            settings = json.loads(form.get("settings") or "{}")
            self._control.switch({"tenant": tenant, "system": system, "faults": {form.get("fault", ""): settings}})
        except WrongFault as wrong:
            return _page("Not switched on", f"<p>{escape(str(wrong))}</p>", 400)
        except ValueError:
            return _page("Not switched on", "<p>The settings are not JSON. Go back and mend them.</p>", 400)
        return _to("/control/")


def _fault_row(tenant: str, system: str, name: str, settings: Mapping[str, Any]) -> str:
    fields = {"tenant": tenant, "system": system, "fault": name}
    hidden = "".join(f"<input type='hidden' name='{key}' value='{escape(value)}'>" for key, value in fields.items())
    return (
        f"<tr><td>{escape(tenant)}</td><td>{escape(system)}</td><td>{name}</td><td>{escape(json.dumps(settings))}</td>"
        f"<td><form method='post' action='/control/pages/faults-off'>{hidden}<button>Switch off</button></form></td>"
        "</tr>"
    )


def _form(found: Document) -> str:
    text = json.dumps(found.body, ensure_ascii=False, indent=2)
    return (
        "<p><a href='/control/'>All systems</a></p>"
        f"<form method='post'><textarea name='record' rows='40'>{escape(text)}</textarea>"
        "<p><label><input type='checkbox' name='unchecked'> past all checks, even if it is wrong</label></p>"
        "<button>Save, as staff would</button></form>"
    )


def _page(title: str, content: str, status: int = 200) -> Response:
    page = (
        f"<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>{content}</html>"
    )
    return Response(status, page.encode(), "text/html; charset=utf-8")


def _to(place: str) -> Response:
    return Response(303, b"", "text/plain", {"Location": place})
