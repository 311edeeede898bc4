# What C knows of xor.py (see the design document, section 3).
cimport cython


cdef extern from *:
    """
    #define gustnado_blank_bytes(size) PyBytes_FromStringAndSize(NULL, size)
    """
    # What xor.py calls a bytearray: bytes that may be written to as long as nobody else has them. So they are not set
    # to zeros first, nor copied in the end.
    bytes bytearray "gustnado_blank_bytes"(Py_ssize_t size)


@cython.locals(source="const unsigned char *", target="unsigned char *", result=bytes)
cpdef bytes xor_loop(bytes data, Py_ssize_t start, Py_ssize_t size, unsigned int key)
@cython.locals(place=Py_ssize_t, whole=Py_ssize_t, first="unsigned char", second="unsigned char",
               third="unsigned char", fourth="unsigned char")
cdef void _xor(const unsigned char *source, Py_ssize_t start, unsigned char *target, Py_ssize_t size,
               unsigned int key) noexcept
