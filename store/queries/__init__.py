"""One file a reader's question: store in, answers out."""
