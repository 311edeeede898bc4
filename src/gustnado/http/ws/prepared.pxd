# What C knows of prepared.py (see the design document, section 3).
cimport cython

from gustnado.http.ws.frames cimport build_frame
from gustnado.http.ws.protocol cimport WebSocketCodec


cpdef bytes payload_of(message)


cdef class PreparedMessage:
    cdef dict _compressed
    cdef bytes _plain
    cdef public bytes payload
    cdef public bint binary

    @cython.locals(frame=bytes)
    cpdef bytes frame_for(self, WebSocketCodec codec)
