"""Control plane of a running job: handlers, Unix-socket server, client."""
