"""A fine-tuned network as a graph that needs no PyTorch: written, run and compared with the network itself."""
