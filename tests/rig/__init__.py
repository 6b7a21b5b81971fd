"""A rig for proofs: small systems that outlive Dolen, a site that joins them, a judge who asks the systems alone."""
