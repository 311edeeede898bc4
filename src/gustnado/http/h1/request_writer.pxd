# What C knows of request_writer.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.body_writer cimport BodyWriter
from gustnado.http.headers cimport HeaderMap


cdef frozenset _USUAL_METHODS
cdef object _METHOD
cdef object _TARGET

@cython.locals(pieces=list)
cpdef bytes request_head(str method, str target, str host, HeaderMap headers, str more)


cdef class RequestWriter(BodyWriter):
    pass
