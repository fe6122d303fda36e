"""What follows from an operation's declaration, each made once for all of them."""
