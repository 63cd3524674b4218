"""The engine: JobMaster, tasks, chains, operators, timers, watermarks and checkpoints."""
