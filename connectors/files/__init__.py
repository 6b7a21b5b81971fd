"""Systems that drop files: extracts as CSV, JSON lines or XML, in a folder of this machine or behind SFTP."""
