# What C knows of driver.py (see the design document, section 3).
cimport cython

from gustnado.http.ws.inbox cimport Inbox
from gustnado.http.ws.protocol cimport WebSocketCodec
from gustnado.http.ws.sending cimport FrameSender


cdef int _CLOSE, _PING, _TURN, _OPEN, _FAILED, _LOST, _FINISHED


cdef class WebSocketDriver(FrameSender):
    cdef public object handler
    cdef public bint pong_received
    cdef object _context
    cdef Inbox _inbox
    cdef int _state
    cdef bint _busy
    cdef bint _handed
    cdef bint _held
    cdef bint _paused
    cdef bint _pulling
    cdef bint _dropping
    cdef object _task
    cdef object _close_timer
    cdef object _refusal

    cdef _end(self)
    cdef _give_up_after(self, double seconds)
    cdef _cancel_timers(self)
    @cython.locals(codec=WebSocketCodec)
    cdef _fail(self, code, why)
    cpdef data_received(self, bytes data)
    @cython.locals(codec=WebSocketCodec, left=int, kind=int)
    cdef _advance(self)
    cpdef _go_on(self)
    cdef _refuse(self, error)
    cdef _refuse_when_idle(self)
    cpdef _refuse_now(self)
    cdef _pause(self)
    cdef _resume(self)
    cdef _control(self, int kind)
    @cython.locals(codec=WebSocketCodec)
    cdef _answer_close(self)
    cdef bint _is_full(self) except -1
    cdef _take_message(self, message)
    cdef _deliver(self, message)
    cpdef _done_with(self, task)
    @cython.locals(inbox=Inbox)
    cdef _drain(self)
    cdef _come_to_end(self)
    cdef _tell(self, callback, payload)
    cpdef _check(self, task)
    cdef _broken(self, error)
    cdef _log(self, error)
    cpdef pull(self)
    cpdef drop_messages(self)
    cpdef bint is_pulling(self) except -1
