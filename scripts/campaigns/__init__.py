"""The fault campaigns: each breaks something on purpose, many times, and looks whether the promises held."""
