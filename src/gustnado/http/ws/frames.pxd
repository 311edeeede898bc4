# What C knows of frames.py (see the design document, section 3).
cimport cython

from gustnado.http.ws.xor cimport xor_loop as unmask


cdef Py_ssize_t _MAX_CONTROL
cdef long long _SHORT, _TWO_BYTES
cdef object _EIGHT_BYTES
cdef tuple _TEXT_HEADS, _BINARY_HEADS


cdef class FrameReader:
    cdef bytes _buffer
    cdef Py_ssize_t _position
    cdef Py_ssize_t _size
    cdef bint _masked
    cdef unsigned int _key
    cdef long long _message_size
    cdef public long long max_size
    cdef public long long max_fragments
    cdef public bint deflate
    cdef public int opcode
    cdef public bint fin
    cdef public bint compressed
    cdef public long long left
    cdef public bint in_message
    cdef public long long fragments
    cdef public long long bytes_in

    cpdef feed(self, bytes data)
    cpdef Py_ssize_t pending(self) except -1
    cpdef bytes take_rest(self)
    cpdef drop_rest(self)
    cpdef Py_ssize_t available(self) except -1
    @cython.locals(position=Py_ssize_t, piece=bytes)
    cpdef bytes take(self, Py_ssize_t size)
    @cython.locals(shift=int)
    cdef _move(self, Py_ssize_t size)
    @cython.locals(buffer=bytes, position=Py_ssize_t, size=Py_ssize_t, first=int, second=int, opcode=int,
                   length="long long", wide=int)
    cpdef bint read_head(self) except -1
    cdef _enter(self, int opcode, bint compressed, long long length)
    cdef _check_reserved(self, int first)
    cdef _check_order(self, int opcode)
    @cython.locals(length="long long")
    cdef long long _read_length(self, bytes buffer, Py_ssize_t position, int wide) except -1
    @cython.locals(before="long long", limit="long long")
    cdef _check_size(self, long long length, bint compressed)


cdef check_control(int opcode, bint fin, long long length)
@cython.locals(second="unsigned int", third="unsigned int", fourth="unsigned int")
cdef unsigned int key_number(bytes buffer, Py_ssize_t position) except? 0
@cython.locals(first=int, mask=int)
cpdef bytes frame_head(int opcode, long long size, bint fin=*, bint rsv1=*, bint masked=*)
@cython.locals(size=Py_ssize_t)
cpdef bytes build_frame(int opcode, bytes payload, bint fin=*, bint rsv1=*)
@cython.locals(size=Py_ssize_t)
cpdef tuple masked_parts(int opcode, bytes payload, bytes key, bint fin=*, bint rsv1=*)
@cython.locals(head=bytes, masked=bytes)
cpdef bytes build_masked_frame(int opcode, bytes payload, bytes key, bint fin=*, bint rsv1=*)
