"""The whole system on one simulated machine park: a seed decides every interleaving, delay and failure."""
