"""What is told of the ledger: overview and exports."""
