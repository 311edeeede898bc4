# What C knows of delegates.py (see the design document, section 3).
from gustnado.http.headers cimport HTTPHeaders


cdef class HTTPMessageDelegate:
    cpdef head_received(self, str method, str target, str version, HTTPHeaders headers)
    cpdef finish(self)
