# What C knows of messages.py (see the design document, section 3).
cimport cython

from gustnado.http.ws.frames cimport FrameReader


cdef int _TEXT
cdef str _NOT_UTF8
cdef Py_ssize_t _WORTH_KEEPING


cdef class MessageReader(FrameReader):
    cdef object _inflater
    cdef bint _reading
    cdef int _kind
    cdef list _parts
    cdef bytearray _small
    cdef long long _plain_size
    cdef bytes _tail
    cdef public object payload
    cdef public long long message_bytes_in

    cpdef take_payload(self)
    @cython.locals(there=Py_ssize_t)
    cpdef int read(self) except -1
    @cython.locals(whole=bytes)
    cdef int _read_whole(self, Py_ssize_t size) except -1
    cdef _begin(self)
    cdef _add(self, bytes piece)
    @cython.locals(size=Py_ssize_t)
    cdef _add_plain(self, bytes piece)
    cdef _keep_small(self)
    @cython.locals(data=bytes)
    cdef _check_text(self, bytes piece)
    cdef int _finish(self) except -1
