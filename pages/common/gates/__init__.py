"""The parts of the page Gates."""
