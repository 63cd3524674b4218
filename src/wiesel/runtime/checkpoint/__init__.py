"""Checkpoints on disk: the manifest, its files, the job directory with its lineages."""
