# What C knows of xor.py (see the design document, section 3).
cimport cython


cdef Py_ssize_t _LONGEST
cdef bytearray _SCRATCH


@cython.locals(source="const unsigned char *", target="unsigned char *", result=bytearray)
cpdef bytearray xor_loop(bytes data, Py_ssize_t start, Py_ssize_t size, unsigned int key)
@cython.locals(source="const unsigned char *", target="unsigned char *")
cpdef bytes xor_short(bytes data, Py_ssize_t start, Py_ssize_t size, unsigned int key)
@cython.locals(place=Py_ssize_t, whole=Py_ssize_t, first="unsigned char", second="unsigned char",
               third="unsigned char", fourth="unsigned char")
cdef void _xor(const unsigned char *source, Py_ssize_t start, unsigned char *target, Py_ssize_t size,
               unsigned int key) noexcept
