"""Where systems and forms call us: a small web server, which knows how a call is read and nothing of what is in it."""
