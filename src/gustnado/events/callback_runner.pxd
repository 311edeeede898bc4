# What C knows of callback_runner.py (see the design document, section 3).
cdef extern from *:
    # In place of the number in the source, whose assignment means nothing to a constant.
    const Py_ssize_t SPARE_CALLS "250"


cdef class Call:
    cdef CallbackRunner _runner
    cdef object _callback
    cdef Call _next


cdef class CallbackRunner:
    cdef public object asyncio_loop
    cdef public object _call_soon
    cdef public object _run
    cdef public object _running_loop
    cdef bint _calls_objects
    cdef bint _makes_calls
    cdef Call _spare
    cdef Py_ssize_t _spares


cdef run(CallbackRunner runner, callback)
