"""Files: the sink that publishes whole files with checkpoints, and the source that reads files and folders."""
