"""Other people's models in, one file a format."""
