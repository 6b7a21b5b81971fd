"""The web console: pages for staff, thin over the movement. A page is one file in `pages`, one in `templates`
and one in `words`; the frame around them is here."""
