"""The worker driver: the JobMaster in this process, the tasks in spawned ones."""
