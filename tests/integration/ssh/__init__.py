"""The fleet over a real sshd to a real agent."""
