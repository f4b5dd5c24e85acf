"""Questions asked of a trace or a model, one file a question, each with a small frozen result."""
