"""What simkit costs, beside what other programs cost on the same machine: run by bin/bench, never by pytest."""
