"""The universal processor: the door in, the stages of one delivery, the sweep."""
