# What C knows of caching.py (see the design document, section 3).
from gustnado.web.handler.state cimport HandlerState


cdef object _hash
cdef object _COMPUTE_ETAG
cdef object _SET_ETAG_HEADER


cdef class CachingMixin(HandlerState):
    pass


cpdef give_etag(CachingMixin handler)
cpdef str entity_tag(list buffer)
