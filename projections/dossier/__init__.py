"""The case file of an account: what a person who decides a dispute reads, as a page, a PDF and sheets."""
