"""The quarantine of a published run: listed with the lines as delivered, and exported to be corrected."""
