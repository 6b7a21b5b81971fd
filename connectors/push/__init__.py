"""What a supplier pushes to us: how it proves itself, what is in it, and how it is answered."""
