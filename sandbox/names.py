"""Lists of invented words that people and places are made from.

Welsh and English names with the letters that break careless systems: circumflexes on w and y, apostrophes, hyphens.
Streets and towns do not exist; telephone numbers and NHS numbers come from ranges that are kept free for fiction.
"""

from __future__ import annotations

FEMALE = (
    "Siân", "Gwenllïan", "Angharad", "Lowri", "Ffion", "Mair", "Nerys", "Cerys", "Eluned", "Llinos", "Bethan",
    "Tegwen", "Elen", "Rhiannon", "Catrin", "Heulwen", "Mared", "Non", "Gwenfron", "Morfudd", "Zoë", "Margaret",
    "Joan", "Sheila", "Patricia", "Dorothy", "Anne-Marie", "Chloë", "Olwen", "Bronwen", "Ceridwen", "Betsan",
    "Glesni", "Hâf", "Mâir",
)  # fmt: skip
MALE = (
    "Siôn", "Gruffydd", "Rhŷs", "Llŷr", "Ifan", "Owain", "Dafydd", "Hywel", "Gethin", "Emrys", "Dylan", "Tomos",
    "Alun", "Aneurin", "Idwal", "Llewelyn", "Macsen", "Iolo", "Gwŷn", "Meurig", "Trefor", "Ieuan", "Kenneth", "Brian",
    "Derek", "Jean-Paul", "Ŵan", "Arthur", "Ronald", "Eifion", "Cadwaladr", "Bleddyn", "Huw", "Gwilym", "Îfor",
)  # fmt: skip
FAMILY = (
    "Jones", "Davies", "Ap Gwilym", "ap Rhŷs", "O'Brien", "O’Leary", "D'Arcy", "Llywelyn-Hughes", "Prys-Jones",
    "Bŷthell", "Ŵynne", "Môn", "Tŵr", "Pŵel", "Llên", "Glyndŵr", "Evans", "Roberts", "Lewis", "Morgan", "Griffiths",
    "Rees", "Parry", "Bevan", "Probert", "Maddocks", "Cadwgan", "Ellis-Bowen", "Smith", "Brown", "Fitzgerald",
    "Kowalska", "Nowak", "Singh", "Begum", "Vaughan", "Gwynne", "Hopcyn", "Beddoe", "St. John", "van der Meer",
    "Penhâl", "Ôwen", "Gîbbon",
)  # fmt: skip
# People who use one name only. It stands as the last name; staff type a hyphen as the first, because screens insist.
NO_FIRST_NAME = "-"
SINGLE = ("Myrddin", "Blodeuwedd", "Taliesin", "Suharto", "Dŵynwen")
KNOWN_AS = ("Nel", "Guto", "Wil", "Mag", "Pegi", "Dai", "Mo", "Twm", "Siwsi", "Ned")
TITLES = ("Mr", "Mrs", "Ms", "Miss", "Dr", "Y Parch.")
STREETS = (
    "Heol yr Onnen Ddychmygol", "Stryd y Felin Bapur", "Ffordd Pendragon", "Clos yr Ŵyl", "Tŷ Gwyn Terrace",
    "Imagined Row", "Maes y Ddôl Goll", "Heol y Bêl", "Quarrymen's Lane", "Llwybr yr Afanc", "Rhodfa'r Ddraig",
    "Teras Cwm-Nunlle",
)  # fmt: skip
HOUSES = ("Bryn Awel", "Tŷ Mawr", "The Old Smithy", "Hafan Dêg", "Y Bwthyn", "Flat 2", "Fflat 3B", "Rose Cottage")
# Town and the first half of postcodes as people in that area have them.
TOWNS = {
    "torfaen": (("Trefaen", "NP4"), ("Pont-y-Dychymyg", "NP4"), ("Cwm Brân Newydd", "NP44")),
    "blaenau-gwent": (("Glyn Dychmygol", "NP23"), ("Abertyle", "NP13"), ("Nant-y-Llwyd", "NP23")),
    "neath-port-talbot": (("Castell-y-Nant", "SA11"), ("Aberafon Wen", "SA12"), ("Pontardref", "SA8")),
}
ELSEWHERE = (("Trefnewydd Ffug", "LD1"), ("Llan-yn-Unman", "SY20"))
RELATIONSHIPS = ("daughter", "son", "wife", "husband", "sister", "neighbour", "merch", "mab", "gŵr")
READS = {"merch": "cy", "mab": "cy", "gŵr": "both", "daughter": "en", "son": "en"}  # the others were not asked
ORGANISATIONS = ("Meddygfa'r Bont", "Ysbyty Dychmygol", "Imagined Housing Association", "District nurses, Cwm Ffug")
HELP = (
    "Cannot manage the stairs since a fall.", "Angen help i ymolchi a gwisgo yn y bore.",
    "Daughter worried about meals.", "Home from hospital last week; unsteady on her feet.",
    "Yn anghofio cymryd ei moddion.", "Carer is worn out & needs a break.",
    "Lives alone, sees nobody from one week to the next.",
    "Mae'r gegin yn beryglus; wedi gadael y nwy ymlaen ddwywaith.", "Wants a key safe <soon> and a rail by the bath.",
    "Lost confidence after being burgled.\nPrefers mornings.",
)  # fmt: skip
NOTE = (
    "bob bore", "weekends only", "since the fall", "", "dydd Llun a dydd Iau", "needs two people",
    "has a frame already",
)  # fmt: skip
TRANSPORT = ("cadair olwyn", "wheelchair, tail lift", "door to door only", "escort needed", "cerddwr gyda ffrâm")
INTERNAL_NOTES = (
    "Rang back, no answer; left no message.", "Prefers calls after 10.", "Wedi siarad â'r ferch, popeth yn iawn.",
    "Key held at number 4 – ask first.", "Transferred from switchboard.",
)  # fmt: skip
OFFICER_NOTES = (
    "Screened against threshold guidance.", "Wedi trafod gyda'r tîm; ymweliad i'w drefnu.", "Spoke to GP surgery.",
    "Duty worker to ring before visiting; dog.", "Risk form completed & filed.",
)  # fmt: skip
WORKERS = ("A. Prydderch", "Siwan Dafis", "M. O'Shea", "T. Llŷwarch", "Dewi Wyn-Rees", "C. Bôwen")
REASONS_FOR_NO = ("Below the threshold for care; advice given.", "Yn byw mewn sir arall.", "Wants no help at present.")
