"""What `config/` says: who is told what, when and how. It holds no pupil and no secret."""
