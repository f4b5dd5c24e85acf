"""The parts of the page Long range."""
