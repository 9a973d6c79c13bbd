"""Does anything turn red?  Small wrong changes in print, code and outputs, and who notices."""
