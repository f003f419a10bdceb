"""`make bench`: the warehouse beside a hand-written yardstick, its peers and the limits it has set itself."""
