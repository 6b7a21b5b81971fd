"""What a form shows to whoever fills it in, in Welsh and in English: by the rule of the schema that was broken.

The texts never hold what was typed. `{most}` is a number of the schema's own.
"""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, tuple[str, str]] = {
    "required": ("rhaid llenwi hwn", "this must be filled in"),
    "minLength": ("rhaid llenwi hwn", "this must be filled in"),
    "enum": ("dewiswch un o'r rhestr", "choose one from the list"),
    "maxLength": ("dim mwy na {most} o nodau", "no more than {most} characters"),
    "maxItems": ("dim mwy na {most}", "no more than {most}"),
    "format": ("nid yw'r dyddiad hwn yn bod", "this date does not exist"),
    "pattern": ("nid yw ar y ffurf gywir", "it is not in the right form"),
    "type": ("nid yw o'r math cywir", "it is not of the right kind"),
    "additionalProperties": ("nid yw'r ffurflen hon yn anfon y maes hwn", "this form does not send this field"),
}
ANY_OTHER = ("nid yw hyn yn gywir", "this is not right")

TAKEN = ("Diolch. Eich cyfeirnod yw {reference}.", "Thank you. Your reference is {reference}.")
KEPT = (
    "Diolch. Rydym wedi cadw eich cais a byddwn yn rhoi cyfeirnod i chi yn fuan.",
    "Thank you. We have kept your request and will give you a reference soon.",
)
NOT_TAKEN: Mapping[int, tuple[str, str]] = {
    400: ("Nid oedd modd darllen y ffurflen.", "The form could not be read."),
    401: ("Nid oedd modd anfon y ffurflen.", "The form could not be sent."),
    413: ("Mae'r ffurflen yn rhy hir.", "The form is too long."),
    415: ("Nid oedd modd darllen y ffurflen.", "The form could not be read."),
    422: ("Mae angen cywiro'r ffurflen.", "Some of the form must be corrected."),
    503: (
        "Ni allwn gymryd y ffurflen ar hyn o bryd. Rhowch gynnig arall arni ymhen ychydig funudau.",
        "We cannot take the form at the moment. Try again in a few minutes.",
    ),
}
