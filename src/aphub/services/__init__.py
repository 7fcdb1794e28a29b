"""What the hub does: a module a stage. Services own the transactions; doors own nothing."""
