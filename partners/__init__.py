"""The commission's owners besides the operator: their terms, and what is theirs."""
