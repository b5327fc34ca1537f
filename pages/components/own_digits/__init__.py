"""The person's own drawings: drawing one more, looking at them, the scores of networks on them, and teaching a network with them."""
