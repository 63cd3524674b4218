"""The wiesel command: flags in, calls out; no logic of its own."""
