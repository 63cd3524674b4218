"""Programs about the tests themselves."""
