"""No person on the wire we own: what the code may hand to a log, seen in the code itself.

A log line is a constant sentence and a few named ids. Whatever could carry a person - a record, a reply, an error's
text, a field of the canonical model - must not be an argument, whether or not some run would show it.
"""

import ast
from collections.abc import Iterator

import pytest

ROOMS = ("connectors", "mappings", "pipelines", "config", "console", "sandbox")
LEVELS = {"debug", "info", "warn", "warning", "error", "critical", "exception", "log", "bind", "bind_contextvars"}

# Where events go through to structlog: it takes any sentence and any names, and lets the listed ones out.
THE_DOOR = "pipelines/logs.py"

# Names under which a person, or a text that somebody else wrote, would travel.
COULD_HOLD_A_PERSON = {
    *(
        "address",
        "body",
        "content",
        "customer",
        "date_of_birth",
        "dob",
        "email",
        "envelope",
        "facts",
        "family",
        "given",
    ),
    *("headers", "message", "mobile", "name", "nhs_number", "note", "notes", "params", "payload", "person", "phone"),
    *("postcode", "postal_code", "raw", "reason", "recipient", "record", "reply", "request", "response"),
    *("resident", "subject", "surname", "telecom", "telephone", "text", "user", "value", "values", "xml"),
}


def faults(code: str) -> Iterator[str]:
    """Yield (line: what) for every call of a logger that could carry a person."""
    tree = ast.parse(code)
    ours = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("logs")
        for name in node.names
        if name.name in LEVELS
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and is_logging(node.func, ours)):
            continue
        if ast.unparse(node.func).split(".")[-1].startswith("bind"):
            sentence: list[ast.expr] = []
            others = node.args
        else:
            sentence, others = node.args[:1], node.args[1:]
        if any(not isinstance(part, ast.Constant) for part in sentence):
            yield f"{node.lineno}: the sentence is put together; keep it constant and give ids by name"
        if others:
            yield f"{node.lineno}: an argument without a name; give ids by name"
        for keyword in node.keywords:
            if keyword.arg is None:
                yield f"{node.lineno}: a whole dictionary; name what is logged"
            elif keyword.arg in COULD_HOLD_A_PERSON:
                yield f"{node.lineno}: {keyword.arg} could hold a person"
            elif isinstance(keyword.value, ast.Call) and ast.unparse(keyword.value.func) in ("str", "repr"):
                yield f"{node.lineno}: {keyword.arg} is the text of something; log its kind or its id"


def is_logging(called: ast.expr, ours: set[str]) -> bool:
    """Tell whether this is a logger's method, or one of the functions that the code imported from its `logs`."""
    if isinstance(called, ast.Name):
        return called.id in ours
    if not isinstance(called, ast.Attribute) or called.attr not in LEVELS:
        return False
    owner = ast.unparse(called.value).removesuffix("()").split(".")[-1].strip("_").lower()
    return owner in ("log", "logs", "logger", "structlog", "contextvars", "get_logger")


def test_no_log_line_can_hold_a_person(texts: dict[str, str]) -> None:
    found = [
        f"{name}:{fault}"
        for name, code in texts.items()
        if name.endswith(".py") and name.split("/")[0] in ROOMS and name != THE_DOOR
        for fault in faults(code)
    ]
    assert found == []


def test_the_door_lets_no_such_name_out() -> None:
    from pipelines.logs import FIELDS

    assert not FIELDS & COULD_HOLD_A_PERSON


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("log.info('page read', connection=connection.id, rows=3)", 0),
        ("self.log.warning('paused', cause=cause.id)", 0),
        ("log.info(f'page of {name}')", 1),
        ("log.info('page of %s', name)", 1),
        ("_log.error('refused', error=str(error))", 1),
        ("logger.info('sent', recipient=number, delivery=delivery.id)", 1),
        ("log.bind(**facts)", 1),
        ("structlog.contextvars.bind_contextvars(council='torfaen')", 0),
        ("structlog.get_logger().info('sent', phone=number)", 1),
        ("from pipelines.logs import log\nlog('arrived', delivery=delivery.id)", 0),
        ("from pipelines.logs import log\nlog('arrived', person=person)", 1),
        ("from pipelines import logs\nlogs.warn(told)", 1),
        ("math.log('x', 2)", 0),
    ],
)
def test_a_line_that_could_would_be_noticed(code: str, caught: int) -> None:
    assert len(list(faults(code))) == caught
