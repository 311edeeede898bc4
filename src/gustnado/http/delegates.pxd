# What C knows of delegates.py (see the design document, section 3).


cdef class HTTPMessageDelegate:
    pass
