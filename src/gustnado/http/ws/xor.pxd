# What C knows of xor.py (see the design document, section 3).
cimport cython


@cython.locals(source="const unsigned char *", target="unsigned char *", place=Py_ssize_t, whole=Py_ssize_t,
               result=bytearray, first="unsigned char", second="unsigned char", third="unsigned char",
               fourth="unsigned char")
cpdef bytearray xor_loop(bytes data, Py_ssize_t start, Py_ssize_t size, unsigned int key)
