"""A first look at data, before anything is trained. `danlu look` is the way in."""
