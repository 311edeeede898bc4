# What C knows of shared.py (see the design document, section 3).


cdef class LoopShared:
    cdef public object _loop
    cdef public list _dirty
    cdef public double now
    cdef public str date
    cdef public object done
    cdef public object refusals

    cpdef flush_soon(self, connection)


cpdef release(list waiters, error)
