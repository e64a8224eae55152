"""Side by side with PyTorch: python -m benchmarks (or make bench)."""
