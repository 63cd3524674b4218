"""From transformations to stream graph to job graph: data and pure functions."""
