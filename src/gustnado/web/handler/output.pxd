# What C knows of output.py (see the design document, section 3).
cimport cython

from gustnado.http.headers cimport headers_of
from gustnado.web.handler.caching cimport give_etag
from gustnado.web.handler.state cimport HandlerState


cdef dict _DEFAULT_FIELDS
cdef frozenset _WITH_ETAG


cdef class OutputMixin(HandlerState):
    pass


# Functions, since the classes of handlers inherit from several classes, which have no room for C methods.
cdef _complete_head(OutputMixin handler, bint whole)
cdef _send_whole(OutputMixin handler)
