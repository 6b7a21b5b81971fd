"""What names usually mean: the words that suppliers and Welsh councils use for the fields of a referral.

A table to be read and added to. A name is written without spaces and capitals; one with `?` behind it means that field
often, but not always. Only whole names count: `PreviousSurname` is not a surname.
"""

from __future__ import annotations

from types import MappingProxyType

#: Fields of the person, or of the request as a whole.
_OF_THE_REQUEST = {
    "citizen_reference": "publicreference citizenreference publicref citizenref trackingreference trackingnumber?",
    "received_at": "received receivedat receivedon receiveddate receiveddatetime datereceived referralreceived "
    "referraldate referraldatetime dateofreferral referredon referredat",
    "type": "kind? type? category? referraltype referralkind requesttype casetype contacttype? requestcategory",
    "status": "status state? casestatus referralstatus requeststatus statuscode currentstatus statws",
    "status_reason.text": "statusreason reasonforstatus statusreasontext",
    "status_changed_at": "statuschanged statuschangedat statuschangedon statusdate statuschangeddate statusdatetime",
    "priority": "priority urgency prioritycode urgencycode prioritylevel blaenoriaeth",
    "reason.text": "reason reasontext referralreason reasonforreferral reasonforrequest reasonforcontact "
    "presentingissue? referraldetails? description? details?",
    "reason.code": "reasoncode referralreasoncode reasonforreferralcode primaryreasoncode?",
    "channel": "channel contactmethod? contactchannel channelcode howreceived receivedby? receivedvia",
    "assigned_to.team": "team teamname assignedteam allocatedteam teamcode responsibleteam tim",
    "assigned_to.worker_ref": "worker workername allocatedworker assignedworker keyworker caseworker allocatedto? "
    "assignedto? responsibleworker workerref workerid",
    "outcome": "outcome outcomecode referraloutcome caseoutcome canlyniad",
    "outcome_reason": "outcomereason reasonforoutcome outcomedetails? outcomenotes?",
    "safeguarding_flag": "safeguarding safeguardingflag issafeguarding safeguardingconcern flagssafeguarding "
    "safeguardingindicator safeguardingyn diogelu",
    "restricted_record": "restricted isrestricted restrictedrecord flagsrestricted restrictedaccess sensitive? "
    "confidential? restrictedflag",
    "appointments[kind=visit].start": "visiton visitdate dateofvisit homevisitdate visitat visitdatetime",
    "person.local_ids[system=SYSTEM].value": "personid clientid customerid? serviceuserid personnumber clientnumber "
    "personref clientref personreference clientno personno personidentifier subjectid",
    "person.nhs_number": "nhsno nhsnumber nhsnum nhsid nhs? rhifgig",
    "person.name.title": "title salutation? nametitle nameprefix? teitl",
    "person.name.given": "forename forenames firstname firstnames givenname givennames given? christianname "
    "namegiven nameforename enwcyntaf enwaucyntaf",
    "person.name.family": "surname lastname familyname family? namefamily namesurname cyfenw",
    "person.name.preferred": "knownas preferredname namepreferred likestobecalled commonlyknownas enwaffefrir",
    "person.date_of_birth": "dob dateofbirth birthdate bornon? dyddiadgeni",
    "person.date_of_death": "dod dateofdeath deathdate deceasedon? dyddiadmarw",
    "person.gender": "gender sex? gendercode sexcode? administrativegender rhywedd",
    "person.ethnicity": "ethnicity ethnicgroup ethnicorigin ethniccategory ethnicitycode ethnicorigincode",
    "person.gp_practice": "gppractice? gppracticecode practicecode gpodscode odscode",
    "person.address.uprn": "uprn addressuprn uniquepropertyreferencenumber",
    "person.address.lines": "line? lines? addressline addresslines",
    "person.address.town": "town posttown addresstown city? towncity addresscity tref",
    "person.address.postcode": "postcode postalcode addresspostcode addresspostalcode pcode? codpost",
    "person.telecom[system=phone,use=home].value": "phone telephone homephone hometelephone phonenumber "
    "telephonenumber telno telephoneno phoneno landline hometel tel homephonenumber hometelephonenumber "
    "landlinenumber phonehome ffon",
    "person.telecom[system=phone,use=mobile].value": "mobile mobilephone mobilenumber mobileno mobiletelephone "
    "mobiletel mobilephonenumber phonemobile mobiletelephonenumber symudol",
    "person.telecom[system=phone,use=mobile].safe_to_text": "safetotext oktotext textsafe? cantext? consenttotext?",
    "person.telecom[system=email].value": "email emailaddress mail? ebost emailaddr",
    "language.correspondence": "preferredlanguage languagepreference letterlanguage languageletters writtenlanguage "
    "correspondencelanguage languageofcorrespondence languagechoice preferredwrittenlanguage language? iaith?",
    "language.spoken": "spokenlanguage languagespoken languagespeech preferredspokenlanguage firstlanguage? "
    "mainlanguage?",
    "language.interpreter_required": "interpreterneeded interpreterrequired needsinterpreter languageinterpreter "
    "interpreter isinterpreterrequired requiresinterpreter",
    "notify.opt_in[channel=text].opted_in": "optedin textoptin smsoptin updatesoptedin textconsent smsconsent? "
    "notifybytext",
    "notify.opt_in[channel=text].at": "updatesaskedat textoptindate smsoptindate optedinat consentdate?",
}

#: Fields of the referrer, where a name says that it is about the referrer or the path leads through one.
_OF_THE_REFERRER = {
    "referrer.kind": "kind type category? referrertype referrerkind",
    "referrer.name": "name fullname referrername",
    "referrer.relationship": "relationship relation? relationshiptoperson relationshiptoclient perthynas",
    "referrer.organisation": "organisation organization agency organisationname agencyname company?",
    "referrer.telecom[system=phone,use=mobile].value": "mobile mobilephone mobilenumber mobileno",
    "referrer.telecom[system=phone,use=home].value": "phone telephone phonenumber telephonenumber telno contactnumber",
    "referrer.telecom[system=email].value": "email emailaddress",
    "referrer.wants_updates": "wantsupdates keepinformed? feedbackrequested?",
    "referrer.person_agrees": "personagrees clientagrees customeragrees consentgiven? consent? consentobtained?",
}


def _turned(table: dict[str, str]) -> MappingProxyType[str, tuple[str, bool]]:
    """Name -> (field, whether the name always means it)."""
    return MappingProxyType(
        {name.rstrip("?"): (ours, not name.endswith("?")) for ours, names in table.items() for name in names.split()}
    )


REQUEST, REFERRER = _turned(_OF_THE_REQUEST), _turned(_OF_THE_REFERRER)

#: Words in a path that say whom what follows is about.
THE_REFERRER = frozenset({"referrer", "referer", "referredby", "referralsource", "requestedby", "notifier"})
THE_PERSON = frozenset({
    "person", "client", "customer", "patient", "subject", "citizen", "serviceuser", "individual", "resident", "adult",
    "referral", "request", "case", "record", "demographics", "persondetails", "clientdetails", "main", "primary",
    "current", "permanent", "home", "the",
})  # fmt: skip
SOMEBODY_ELSE = frozenset({
    "carer", "gp", "nok", "nextofkin", "kin", "relative", "practitioner", "officer", "emergency", "worker",
    "professional", "parent", "guardian", "spouse", "partner", "representative", "advocate", "author",
    "createdby", "updatedby", "enteredby", "related", "relationships", "relationship", "school", "employer", "provider",

    "doctor", "surgery", "manager", "owner", "contactperson",
    "previous", "prev", "former", "old", "temporary", "temp", "alternative", "alt",
    "other", "secondary", "maiden", "work", "alias", "aliases", "history", "audit", "practice",
    "document", "attachment", "task",
})  # fmt: skip

#: Never guessed into force: a wrong status, priority, flag or consent harms somebody before anyone notices.
DANGEROUS = (
    "status", "priority", "safeguarding_flag", "restricted_record", "notify.", "referrer.wants_updates",
    "referrer.person_agrees", "person.telecom[system=phone,use=mobile].safe_to_text", "sharing_basis", "warning_flags",
)  # fmt: skip
_HARMLESS = ("status_reason.text", "status_changed_at")


def is_dangerous(ours: str) -> bool:
    """Whether a field may never be guessed into force."""
    return ours not in _HARMLESS and any(
        ours == field or (field.endswith(".") and ours.startswith(field)) for field in DANGEROUS
    )


#: Codes that are not spelled like ours, by field: theirs without spaces and capitals -> ours.
CODES = {
    "person.gender": {"1": "male", "2": "female", "9": "other", "0": "unknown", "notknown": "unknown",
                      "notstated": "unknown", "man": "male", "woman": "female", "indeterminate": "other"},
    "language.correspondence": {"w": "cy", "e": "en", "welsh": "cy", "english": "en", "cym": "cy", "wel": "cy",
                                "eng": "en", "bilingual": "both", "unknown": "not-asked", "notknown": "not-asked"},
    "referrer.kind": {"family": "family-friend", "friend": "family-friend", "relative": "family-friend"},
    "channel": {"telephone": "phone", "online": "web", "website": "web", "facetoface": "in-person",
                "visit": "in-person"},
}  # fmt: skip
