"""`geophone lab`: a plant with known truth, and what the sensor makes of it."""
