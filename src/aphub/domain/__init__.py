"""What is true: rules of attendance, agreed times and proof, without I/O, clock or database."""
