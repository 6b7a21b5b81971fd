"""NHS MESH: files between the mailboxes of NHS bodies and councils, over its public REST API."""
