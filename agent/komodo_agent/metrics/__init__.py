"""How the host and its containers are: read from /proc and cgroup files through descriptors that stay open."""
