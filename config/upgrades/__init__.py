"""From one format of a site's files to the next: one module a step, `upgrade` takes them in turn."""
