"""What belongs to one photo: from the features of a network to unit embeddings of its parts and of the whole."""
