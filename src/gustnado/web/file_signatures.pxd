# What C knows of file_signatures.py (see the design document, section 3).
cdef object _stat

cpdef tuple signature_of(status)
cpdef file_signature(path)
