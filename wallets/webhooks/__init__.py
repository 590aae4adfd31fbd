"""What providers tell us: verified and stored while they wait, believed only after we have asked them."""
