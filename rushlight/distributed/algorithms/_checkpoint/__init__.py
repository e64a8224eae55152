"""Ways of training in many processes."""
