# What C knows of server_connection.py (see the design document, section 3).
from gustnado.http.h1.server_messages cimport ServerMessages


cdef int HEAD, BODY, RESPOND, DRAIN, LINGER, REFUSED, TURNED_AWAY
cdef double _RATE_AFTER


cdef class HTTP1ServerConnection(ServerMessages):
    cdef object __weakref__

    cpdef data_received(self, bytes data)
