"""NHS Booking and Referral Standard: referrals as FHIR R4 messages, sent and received."""
