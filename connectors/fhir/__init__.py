"""Systems that speak FHIR R4 over REST: a referral as several resources, made in order, read together."""
