"""Sources and sinks inside the process: collections, number sequences, print, collect."""
