"""What the shop sells, has sent and answers, and the index that finds it."""
