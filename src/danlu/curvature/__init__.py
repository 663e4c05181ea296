"""Curvature of the loss: what second-order techniques, and people who look at a loss surface, have in common."""
