# What C knows of callback_runner.py (see the design document, section 3).


cdef class Guard:
    cdef CallbackRunner _runner


cdef class CallbackRunner:
    cdef public object asyncio_loop
    cdef public object _call_soon
    cdef public object _run
    cdef public object _running_loop


cdef run(CallbackRunner runner, callback)
