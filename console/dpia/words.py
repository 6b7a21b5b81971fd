"""The words of the pack, in English and Welsh. The Welsh awaits a Welsh checker (see `mappings.meta.WELSH_CHECKED`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mappings.loss_words import SENSITIVITIES as SENSITIVITIES
from mappings.loss_words import UNCHECKED as UNCHECKED
from mappings.loss_words import Words

Language = Literal["en", "cy"]
LANGUAGES: tuple[Language, ...] = ("en", "cy")

TITLE = Words(
    "Data flows for the data protection impact assessment",
    "Llifau data ar gyfer yr asesiad o'r effaith ar ddiogelu data",
)
MADE = Words(
    "Made by Dolen from the council's own configuration. It says what the software does as it is set up; whether "
    "that is necessary and fair is for the council to assess.",
    "Gwnaed gan Dolen o ffurfweddiad y cyngor ei hun. Mae'n dweud beth mae'r feddalwedd yn ei wneud fel y'i gosodwyd; "
    "mater i'r cyngor yw asesu a yw hynny'n angenrheidiol ac yn deg.",
)
STATE = Words("State of the configuration", "Cyflwr y ffurfweddiad")
STAGE = Words("Stage", "Cam")
PICTURE = Words("The flows as a picture", "Y llifau fel llun")
SYSTEMS = Words("Systems", "Systemau")
SYSTEM = Words("System", "System")
PROFILE = Words("Kind", "Math")
SUPPLIER = Words("Supplier", "Cyflenwr")
ANSWERS = Words("Who answers for it", "Pwy sy'n atebol amdani")
SUMMARY = Words("The flows at a glance", "Cipolwg ar y llifau")
FLOWS = Words("Each flow", "Pob llif")
FLOW = Words("Flow", "Llif")
ROUTE = Words("Route", "Llwybr")
FIELD = Words("Field", "Maes")
PATH = Words("Field's path", "Llwybr y maes")
COUNTS_AS = Words("Counts as", "Yn cyfrif fel")
SOURCE = Words("From", "O")
TARGET = Words("To", "I")
AT_SOURCE = Words("Where it stands at the source", "Ble mae yn y ffynhonnell")
AT_TARGET = Words("Where it stands at the target", "Ble mae yn y targed")
PURPOSE = Words("Purpose", "Diben")
BASIS = Words("Lawful basis", "Sail gyfreithlon")
AGREEMENT = Words("Agreement", "Cytundeb")
OWNER = Words("Owner", "Perchennog")
RETENTION = Words("Kept here after closure", "Cedwir yma ar ôl cau")
CONDITION = Words("Only when", "Dim ond pan")
DOCUMENTS = Words("Documents", "Dogfennau")
ALL = Words("all", "pob un")
NONE = Words("none", "dim")
MODE = Words("Mode", "Modd")
LIVE = Words("in use", "mewn defnydd")
SHADOW = Words("shadow: processed and compared, sent to nobody", "cysgod: prosesir a chymherir, ni anfonir at neb")
SHADOWS = Words("Shadow flows", "Llifau cysgod")
BY_TEXT = Words("a text or email to a person", "neges destun neu e-bost at berson")
OTHERS = Words("another system's, as Dolen merged it", "gan system arall, fel y cyfunodd Dolen hi")
NOT_SAID = Words("NOT SAID", "HEB EI DDWEUD")
MISSING = Words("What the configuration does not say yet", "Yr hyn nad yw'r ffurfweddiad yn ei ddweud eto")
NOTHING_MISSING = Words(
    "Everything that a live route must say is said.", "Dywedir popeth y mae'n rhaid i lwybr byw ei ddweud."
)
KEPT = Words("How long what Dolen holds is kept, after closure", "Am faint y cedwir yr hyn sydd gan Dolen, ar ôl cau")
CLASS = Words("Class of data", "Dosbarth o ddata")
TIME = Words("Time", "Amser")
COUNCIL = Words("Council", "Cyngor")

CLASSES: Mapping[str, Words] = {
    "raw": Words("what a source sent, byte for byte", "yr hyn a anfonodd ffynhonnell, beit am feit"),
    "payloads": Words("the merged referral, requests and answers", "yr atgyfeiriad cyfun, ceisiadau ac atebion"),
    "hashes": Words(
        "keyed hashes, from which nothing can be read", "crynodebau hash â bysell, na ellir darllen dim ohonynt"
    ),
    "metadata": Words("ids, times and states: no person", "dynodwyr, amserau a chyflyrau: dim person"),
    "audit": Words("who looked at or did what, and why", "pwy edrychodd neu a wnaeth beth, a pham"),
}
NEEDS: Mapping[str, Words] = {
    "purpose": PURPOSE,
    "lawful_basis": BASIS,
    "agreement": AGREEMENT,
    "owner": OWNER,
    "retention": RETENTION,
    "arrive_within": Words("How soon it must arrive", "Pa mor fuan y mae'n rhaid iddo gyrraedd"),
}
