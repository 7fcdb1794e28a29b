"""aphub tells schools, on time and provably, how their pupils attend alternative provision."""

__version__ = "0.1.0"
