# What C knows of sending.py (see the design document, section 3).
cimport cython

from gustnado.events.direct_writer cimport DirectWriter
from gustnado.http.shared cimport release
from gustnado.http.ws.prepared cimport PreparedMessage, payload_of
from gustnado.http.ws.protocol cimport WebSocketCodec


cdef Py_ssize_t _MAX_GATHERED
cdef Py_ssize_t _LONG


cdef class FrameSender(DirectWriter):
    cdef object __weakref__
    cdef public object params
    cdef public WebSocketCodec codec
    cdef public long long dropped
    cdef object _loop
    cdef object _done
    cdef bint _over
    cdef bint _gathering
    cdef bint _begun
    cdef bytes _first
    cdef list _more
    cdef Py_ssize_t _output_size
    cdef list _waiters
    cdef object _pending_pong
    cdef long long _progress
    cdef object _write_timer

    cpdef bint is_closing(self) except -1
    @cython.locals(codec=WebSocketCodec)
    cdef bint _is_closing(self) except -1
    @cython.locals(payload=bytes, prepared=bint)
    cpdef write_message(self, message, bint binary=*)
    cpdef bint offer(self, PreparedMessage message) except -1
    @cython.locals(frame=bytes)
    cdef bint _offer(self, PreparedMessage message, loop) except -1
    cpdef pong(self, bytes payload)
    cdef _written(self)
    cdef _send(self, bytes frame)
    @cython.locals(head=bytes, payload=bytes)
    cdef _send_long(self, tuple parts)
    @cython.locals(first=bytes, more=list)
    cdef _flush(self)
    cdef bint _may_write(self) except -1
    cdef long long _unsent(self) except -1
    cdef _release_waiters(self, error)
    cdef _cancel_write_timer(self)
    cdef _watch_progress(self)


@cython.locals(place=Py_ssize_t, sender=FrameSender, taken=bint, refused=list)
cpdef list offer_to(PreparedMessage message, list receivers, Py_ssize_t start, Py_ssize_t stop, loop=*)
