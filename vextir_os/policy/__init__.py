"""Policies: what may happen, decided for every action by values alone. Denied is what no policy allows."""
