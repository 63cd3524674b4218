"""The benchmark suite: ordinary PyFlink scripts in jobs/, the same work by hand in baselines/, results in results/."""
