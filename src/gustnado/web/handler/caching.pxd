# What C knows of caching.py (see the design document, section 3).
cimport cython

from gustnado.web.handler.state cimport HandlerState


cdef object _hash
cdef object _small_tag
cdef Py_ssize_t _SMALL


cdef class CachingMixin(HandlerState):
    pass


cpdef _tag(bytes content)
