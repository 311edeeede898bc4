# What C knows of path_index.py (see the design document, section 3). Its classes are generic, so they stay Python's.
