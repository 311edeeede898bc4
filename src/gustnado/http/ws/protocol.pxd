# What C knows of protocol.py (see the design document, section 3).
cimport cython

from gustnado.http.ws.frames cimport build_frame, build_masked_frame, frame_head, masked_parts
from gustnado.http.ws.messages cimport MessageReader


cdef int _CLOSE, _PING, _PONG
cdef Py_ssize_t _MAX_REASON


cdef class WebSocketCodec(MessageReader):
    cdef public bint is_client
    cdef public long long message_bytes_out
    cdef object _keys
    cdef public object deflater
    cdef public bint close_sent
    cdef public bint close_received
    cdef public bint failed
    cdef public object close_code
    cdef public object close_reason
    cdef public long long bytes_out

    @cython.locals(kind=int)
    cpdef int next_event(self) except -1
    @cython.locals(payload=bytes, code=int)
    cdef _read_close(self)
    cdef _read_reason(self, bytes reason)
    cpdef bytes message(self, bytes payload, bint binary)
    @cython.locals(opcode=int, compressed=bint, head=bytes)
    cpdef tuple message_parts(self, bytes payload, bint binary)
    cdef bytes _begin_message(self, bytes payload)
    cpdef bytes ping(self, bytes payload)
    cpdef bytes pong(self, bytes payload)
    cpdef bytes close(self, code=*, reason=*)
    cdef bytes _control(self, int opcode, bytes payload)
    @cython.locals(frame=bytes)
    cdef bytes _frame(self, int opcode, bytes payload, bint compressed)
