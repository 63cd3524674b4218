"""Parses a script without running it and says which PyFlink names it uses will not work."""
