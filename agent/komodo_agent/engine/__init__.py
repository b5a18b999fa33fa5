"""The Docker (or Podman) engine of this machine: the only home of aiodocker."""
