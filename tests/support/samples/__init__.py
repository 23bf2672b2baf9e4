"""Sample inputs and scripted replies of each generator."""
