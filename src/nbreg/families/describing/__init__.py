"""What is known of a model besides its bytes, a module for each library."""
