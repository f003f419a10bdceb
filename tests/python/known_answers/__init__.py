"""Real exports with known answers, through the whole command."""
