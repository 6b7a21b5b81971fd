"""THE WORDS: the common referral and how each system's record becomes one. Pure: no I/O, no clock."""
