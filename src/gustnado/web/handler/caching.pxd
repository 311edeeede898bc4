# What C knows of caching.py (see the design document, section 3).
from gustnado.web.handler.state cimport HandlerState


cdef object _hash


cdef class CachingMixin(HandlerState):
    pass
