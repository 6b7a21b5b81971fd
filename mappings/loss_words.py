"""The words of the loss report, in English and Welsh. The Welsh awaits a Welsh checker (see `meta.WELSH_CHECKED`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mappings.coverage import Sort, Way
from mappings.meta import Sensitivity


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    cy: str


WAYS: Mapping[Way, Words] = {
    "reading": Words("From the system to us", "O'r system atom ni"),
    "writing": Words("From us to the system", "Oddi wrthym ni at y system"),
    "there and back": Words("There and back", "Yno ac yn ôl"),
}

SORTS: Mapping[Sort, Words] = {
    "dropped": Words("Dropped: no row carries it", "Gollyngwyd: nid oes rhes yn ei gludo"),
    "in part": Words("Carried in part", "Cludir yn rhannol"),
    "merged": Words("Merged: several codes become one", "Cyfunwyd: daw sawl cod yn un"),
    "defaulted": Words("Filled in where nothing is said", "Llenwir lle na ddywedir dim"),
    "left out": Words("Left out whole where it does not fit", "Gadewir allan yn gyfan lle nad yw'n ffitio"),
    "lossy": Words("Changed on the way, as declared", "Newidir ar y ffordd, fel y datganwyd"),
}

SENSITIVITIES: Mapping[Sensitivity, Words] = {
    Sensitivity.SPECIAL: Words("special category", "categori arbennig"),
    Sensitivity.IDENTIFYING: Words("identifying", "yn dangos pwy yw rhywun"),
    Sensitivity.NONE: Words("neither", "y naill na'r llall"),
}

TITLE = Words("Loss report", "Adroddiad colled")
NOTHING_LOST = Words("Nothing is lost.", "Ni chollir dim.")
NOT_COUNTED = Words("The system's own fields are not counted", "Ni chyfrifir meysydd y system ei hun")
LOSSES = Words("Loss", "Colled")
HOW_MANY = Words("How many", "Sawl un")
ROUTE = Words("Route", "Llwybr")
PURPOSE = Words("Purpose", "Diben")
BASIS = Words("Lawful basis", "Sail gyfreithlon")
AGREEMENT = Words("Agreement", "Cytundeb")
OWNER = Words("Owner", "Perchennog")
FIELD = Words("Field", "Maes")
FROM = Words("Stands there as", "Saif yno fel")
TO = Words("Arrives as", "Cyrhaedda fel")
COUNTS_AS = Words("Counts as", "Cyfrifir fel")
ARRIVES = Words("What arrives", "Yr hyn sy'n cyrraedd")
STOPS = Words("What stops with us", "Yr hyn sy'n aros gyda ni")
ELSEWHERE = Words("What other systems said and goes along", "Yr hyn a ddywedodd systemau eraill ac a â gydag ef")
NUMBERS = Words("Numbers that Dolen hands on", "Rhifau y mae Dolen yn eu trosglwyddo")
NO_CODE = Words("Codes that have no code at the other end", "Codau heb god yn y pen arall")
LOST_BEFORE = Words("Lost when it is read", "Collir wrth ddarllen")
LOST_AFTER = Words("Lost when it is written", "Collir wrth ysgrifennu")
SIGNED = Words("I have read this report", "Yr wyf wedi darllen yr adroddiad hwn")
NAME = Words("Name", "Enw")
ROLE = Words("Role", "Swydd")
DATE = Words("Date", "Dyddiad")
SIGNATURE = Words("Signature", "Llofnod")
UNCHECKED = Words(
    "The Welsh in this report awaits a Welsh checker.", "Mae'r Gymraeg yn yr adroddiad hwn yn aros am wiriwr Cymraeg."
)


def all_words() -> tuple[Words, ...]:
    """Every pair of words there is, for whoever checks them."""
    single = [value for name, value in globals().items() if name.isupper() and isinstance(value, Words)]
    return (*single, *WAYS.values(), *SORTS.values(), *SENSITIVITIES.values())
