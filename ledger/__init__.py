"""What an account is and how its history is kept."""
