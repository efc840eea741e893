"""What an auditor can check without trusting the database: the log tree, seals, notes and proofs."""
