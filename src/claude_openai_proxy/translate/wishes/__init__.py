"""What any dialect can want, as plain values, and the rules that turn it into a Messages request."""
