"""THE OPERATOR: the command line. Thin: it parses, calls and shows."""
