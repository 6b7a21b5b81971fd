"""What a monitoring system reads of a process: its figures, whether it lives, whether it is ready."""
