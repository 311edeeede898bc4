# What C knows of inbox.py (see the design document, section 3).
cimport cython


cdef class Inbox:
    cdef long long _max_count
    cdef long long _max_size
    cdef long long _size
    cdef object _messages
    cdef object _readers

    cpdef bint is_full(self) except -1
    cpdef bint put(self, message) except -1
    cpdef take(self)
    cpdef clear(self)
    cpdef wait(self, reader)
    cpdef end(self)
    cdef bint _give(self, message) except -1
