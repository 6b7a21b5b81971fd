"""Our own closed code lists, each code with its Welsh and English display.

A system's codes are turned into these by code lists in CSV. The business status has its table in `lifecycle`.
The Welsh displays await a Welsh checker.
"""

from __future__ import annotations

from mappings.meta import Coded


class ReferralType(Coded):
    """What kind of request for help this is."""

    CONTACT = "contact", "Cyswllt", "Contact"
    REFERRAL = "referral", "Atgyfeiriad", "Referral"
    ASSESSMENT_REQUEST = "assessment-request", "Cais am asesiad", "Assessment request"
    CARER = "carer", "Gofalwr di-dâl", "Unpaid carer"
    SAFEGUARDING_REPORT = "safeguarding-report", "Adroddiad diogelu", "Safeguarding report"
    ONWARD_REFERRAL = "onward-referral", "Atgyfeiriad ymlaen", "Onward referral"
    SIGNPOST = "signpost", "Cyfeirio at wasanaeth arall", "Signpost"


class Status(Coded):
    """The business status: what the resident hears about. One per referral; delivery status is another thing."""

    RECEIVED = "received", "Wedi dod i law", "Received"
    IN_TRIAGE = "in_triage", "Yn cael ei frysbennu", "In triage"
    ACCEPTED = "accepted", "Wedi'i dderbyn", "Accepted"
    IN_PROGRESS = "in_progress", "Ar waith", "In progress"
    ON_HOLD = "on_hold", "Wedi'i ohirio", "On hold"
    REJECTED = "rejected", "Heb ei dderbyn", "Not accepted"
    REDIRECTED = "redirected", "Wedi'i anfon ymlaen", "Redirected"
    CANCELLED = "cancelled", "Wedi'i ganslo", "Cancelled"
    COMPLETED = "completed", "Wedi'i gwblhau", "Completed"
    ENTERED_IN_ERROR = "entered_in_error", "Wedi'i gofnodi trwy gamgymeriad", "Entered in error"


class Priority(Coded):
    """How soon somebody must act."""

    ROUTINE = "routine", "Arferol", "Routine"
    URGENT = "urgent", "Brys", "Urgent"
    EMERGENCY = "emergency", "Argyfwng", "Emergency"


class Channel(Coded):
    """How the request reached the council."""

    PHONE = "phone", "Ffôn", "Phone"
    WEB = "web", "Gwefan", "Web"
    EMAIL = "email", "E-bost", "Email"
    IN_PERSON = "in-person", "Wyneb yn wyneb", "In person"
    SYSTEM = "system", "System arall", "Another system"


class Gender(Coded):
    """Administrative gender."""

    MALE = "male", "Gwryw", "Male"
    FEMALE = "female", "Benyw", "Female"
    OTHER = "other", "Arall", "Other"
    UNKNOWN = "unknown", "Ddim yn hysbys", "Not known"


class NhsNumberStatus(Coded):
    """How sure it is that the NHS number is this person's."""

    VERIFIED = "verified", "Wedi'i ddilysu", "Verified"
    TRACED = "traced", "Wedi'i olrhain", "Traced"
    PRESENT_NOT_VERIFIED = "present-not-verified", "Yn bresennol, heb ei ddilysu", "Present, not verified"
    MISSING = "missing", "Ar goll", "Missing"


class Letters(Coded):
    """The language the person wants to be written to in. Not asked means both (Welsh Language Standards)."""

    CY = "cy", "Cymraeg", "Welsh"
    EN = "en", "Saesneg", "English"
    BOTH = "both", "Cymraeg a Saesneg", "Welsh and English"
    NOT_ASKED = "not-asked", "Heb ofyn", "Not asked"


class ReferrerKind(Coded):
    """Who asked for help."""

    SELF = "self", "Y person ei hun", "The person"
    FAMILY_FRIEND = "family-friend", "Teulu neu ffrind", "Family or friend"
    PROFESSIONAL = "professional", "Gweithiwr proffesiynol", "Professional"
    OTHER = "other", "Arall", "Other"


class Recipient(Coded):
    """Whom news about the request goes to."""

    PERSON = "person", "Y person", "The person"
    REFERRER = "referrer", "Yr atgyfeiriwr", "The referrer"
    BOTH = "both", "Y ddau", "Both"


class NewsChannel(Coded):
    """A way of sending news that a person can opt in to."""

    TEXT = "text", "Neges destun", "Text message"
    EMAIL = "email", "E-bost", "Email"
    LETTER = "letter", "Llythyr", "Letter"


class TelecomSystem(Coded):
    """What kind of contact point it is."""

    PHONE = "phone", "Ffôn", "Phone"
    EMAIL = "email", "E-bost", "Email"
    TEXT_RELAY = "text-relay", "Gwasanaeth cyfnewid testun", "Text relay"
    OTHER = "other", "Arall", "Other"


class TelecomUse(Coded):
    """Where a contact point reaches the person."""

    HOME = "home", "Cartref", "Home"
    WORK = "work", "Gwaith", "Work"
    MOBILE = "mobile", "Symudol", "Mobile"
    TEMPORARY = "temp", "Dros dro", "Temporary"


class Need(Coded):
    """What the person asks for help with."""

    WASHING_AND_DRESSING = "washing-and-dressing", "Ymolchi a gwisgo", "Washing and dressing"
    MEALS = "meals", "Prydau bwyd", "Meals"
    MOVING_AROUND = "moving-around", "Symud o gwmpas", "Moving around"
    MEMORY = "memory", "Y cof", "Memory"
    CARER_BREAK = "carer-break", "Seibiant i ofalwr", "A break for a carer"
    HOME_SAFETY = "home-safety", "Diogelwch yn y cartref", "Safety at home"
    LONELINESS = "loneliness", "Unigrwydd", "Loneliness"
    MEDICATION = "medication", "Meddyginiaeth", "Medication"


class Decision(Coded):
    """What the receiving side answered."""

    ACCEPTED = "accepted", "Wedi'i dderbyn", "Accepted"
    REJECTED = "rejected", "Heb ei dderbyn", "Not accepted"
    REDIRECTED = "redirected", "Wedi'i anfon ymlaen", "Redirected"


class AppointmentKind(Coded):
    """What the appointment is for."""

    VISIT = "visit", "Ymweliad", "Visit"
    ASSESSMENT = "assessment", "Asesiad", "Assessment"
    CALL = "call", "Galwad ffôn", "Phone call"


class AppointmentStatus(Coded):
    """Where the appointment stands."""

    BOOKED = "booked", "Wedi'i drefnu", "Booked"
    ATTENDED = "attended", "Wedi digwydd", "Took place"
    MISSED = "missed", "Wedi'i golli", "Missed"
    CANCELLED = "cancelled", "Wedi'i ganslo", "Cancelled"


class Visibility(Coded):
    """Who may read a note."""

    PUBLIC = "public", "Cyhoeddus", "Public"
    INTERNAL = "internal", "Mewnol", "Internal"


class SharingStatus(Coded):
    """Whether the basis for sharing stands."""

    ACTIVE = "active", "Ar waith", "In force"
    WITHDRAWN = "withdrawn", "Wedi'i dynnu'n ôl", "Withdrawn"
    REFUSED = "refused", "Wedi'i wrthod", "Refused"


class Outcome(Coded):
    """What came of it: the event outcomes of England's Client Level Data, release 2. `nfa-` is no further action."""

    ASSESSMENT = "progress-assessment", "Symud ymlaen at asesiad neu adolygiad", "Progress to assessment or review"
    REABLEMENT = "progress-reablement", "Symud ymlaen at ailalluogi", "Progress to reablement"
    SUPPORT = "progress-support", "Symud ymlaen at gynllunio cymorth", "Progress to support planning or services"
    HOSPITAL = "admitted-to-hospital", "Derbyniwyd i'r ysbyty", "Admitted to hospital"
    CONTINUES = "continuation-of-support", "Parhau â'r cymorth", "Continuation of support"
    INFORMATION = "nfa-information", "Gwybodaeth a chyngor", "Information, advice or signposting"
    SELF_FUNDER = "nfa-self-funder", "Yn ariannu ei hun", "Self-funder"
    DECLINED = "nfa-support-declined", "Gwrthodwyd y cymorth", "Support declined"
    TO_NHS = "nfa-referral-to-nhs", "Atgyfeirio at y GIG", "Referral to the NHS"
    TO_COUNCIL = "nfa-other-council-service", "Gwasanaeth arall y cyngor", "Referral to another council service"
    MOVED = "nfa-moved-away", "Symudodd i gyngor arall", "Moved to another council"
    DECEASED = "nfa-deceased", "Bu farw", "Deceased"
    ENDED_AS_PLANNED = "nfa-ended-as-planned", "Daeth i ben fel y bwriadwyd", "Support ended as planned"
    ENDED_OTHER = "nfa-ended-other", "Daeth i ben am reswm arall", "Support ended for another reason"
    NO_SERVICES = "nfa-no-services", "Dim gwasanaethau, rheswm arall", "No services offered, another reason"
    OTHER = "nfa-other", "Dim camau pellach, arall", "No further action, other"
    UNMAPPED_PROGRESS = "unmapped-progress", "Heb ei baru: symud ymlaen", "Not mapped: progress"
    UNMAPPED_NFA = "unmapped-nfa", "Heb ei baru: dim camau pellach", "Not mapped: no further action"


class SensoryNeed(Coded):
    """A disability, sensory loss or condition, as the Welsh census of care and support and CLD ask for it."""

    VISUAL = "visual", "Nam ar y golwg", "Visual impairment"
    HEARING = "hearing", "Nam ar y clyw", "Hearing impairment"
    DUAL_SENSORY = "dual-sensory", "Nam deuol ar y synhwyrau", "Dual sensory loss"
    PHYSICAL = "physical", "Anabledd corfforol", "Physical disability"
    LEARNING = "learning", "Anabledd dysgu", "Learning disability"
    AUTISM = "autism", "Awtistiaeth", "Autism"
    DEMENTIA = "dementia", "Dementia", "Dementia"
    MENTAL_HEALTH = "mental-health", "Iechyd meddwl", "Mental health"


class CommunicationNeed(Coded):
    """What makes it possible for the person to understand and to be understood."""

    LARGE_PRINT = "large-print", "Print bras", "Large print"
    BRAILLE = "braille", "Braille", "Braille"
    AUDIO = "audio", "Sain", "Audio"
    EASY_READ = "easy-read", "Hawdd ei ddeall", "Easy read"
    SIGN_LANGUAGE = "sign-language", "Iaith arwyddion", "Sign language"
    CARER_PRESENT = "carer-present", "Gofalwr yn bresennol", "Carer present"
    MORE_TIME = "more-time", "Mwy o amser", "More time"


class WarningFlag(Coded):
    """What somebody has to know before a visit or before passing the record on."""

    ADULT_AT_RISK = "adult-at-risk", "Oedolyn mewn perygl", "Adult at risk"
    CHILD_AT_RISK = "child-at-risk", "Plentyn mewn perygl", "Child at risk"
    DOMESTIC_ABUSE = "domestic-abuse", "Cam-drin domestig", "Domestic abuse"
    VISIT_IN_PAIRS = "visit-in-pairs", "Ymweld mewn parau", "Visit in pairs"
    DOG = "dog", "Ci yn y cartref", "Dog in the home"
