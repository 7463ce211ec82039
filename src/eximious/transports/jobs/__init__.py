"""What is done as the user a message is delivered for, in a small process of that user: imports only the system."""
