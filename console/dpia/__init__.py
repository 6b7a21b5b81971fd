"""How the pack for a data-protection assessment looks: a page to read, one to paste, a table and a picture."""
