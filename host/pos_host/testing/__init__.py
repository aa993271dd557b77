"""For tests of hosts and of programs around them: virtual time, a network in memory, and faults by seed."""
