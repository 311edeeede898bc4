# What C knows of file_signatures.py (see the design document, section 3).
cdef extern from *:
    """
    #if defined(HAVE_STAT_TV_NSEC)
    #define GUSTNADO_NANOSECONDS(status, which) ((status).st_##which##tim.tv_nsec)
    #elif defined(HAVE_STAT_TV_NSEC2)
    #define GUSTNADO_NANOSECONDS(status, which) ((status).st_##which##timespec.tv_nsec)
    #endif
    #define GUSTNADO_LAST_SECOND 9000000000LL  /* in the year 2255: later times, in nanoseconds, need 65 bits */

    typedef struct {
        long long st_dev;
        unsigned long long st_ino;
        long long st_mtime_ns, st_ctime_ns, st_size;
    } gustnado_status;

    #ifdef GUSTNADO_NANOSECONDS
    #include <sys/stat.h>

    static inline int gustnado_is_near(long long seconds) {
        return -GUSTNADO_LAST_SECOND < seconds && seconds < GUSTNADO_LAST_SECOND;
    }

    /* As os.stat: other threads may run meanwhile. */
    static inline gustnado_status gustnado_stat(PyObject *path) {
        gustnado_status told = {0, 0, 0, 0, 0};
        PyObject *encoded;
        struct stat status;
        int failed;

        if (!PyUnicode_FSConverter(path, &encoded))
            return told;
        Py_BEGIN_ALLOW_THREADS
        failed = stat(PyBytes_AS_STRING(encoded), &status);
        Py_END_ALLOW_THREADS
        if (failed) {
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
        } else if (!gustnado_is_near(status.st_mtime) || !gustnado_is_near(status.st_ctime)) {
            PyErr_SetString(PyExc_OverflowError, "a time too far away");
        } else {
            told.st_dev = status.st_dev;
            told.st_ino = status.st_ino;
            told.st_mtime_ns = status.st_mtime * 1000000000LL + GUSTNADO_NANOSECONDS(status, m);
            told.st_ctime_ns = status.st_ctime * 1000000000LL + GUSTNADO_NANOSECONDS(status, c);
            told.st_size = status.st_size;
        }
        Py_DECREF(encoded);
        return told;
    }
    #else
    static inline gustnado_status gustnado_stat(PyObject *path) {
        gustnado_status told = {0, 0, 0, 0, 0};
        (void)path;
        PyErr_SetString(PyExc_OverflowError, "this system's stat() knows no nanoseconds");
        return told;
    }
    #endif
    """
    ctypedef struct Status "gustnado_status":
        long long st_dev
        unsigned long long st_ino
        long long st_mtime_ns
        long long st_ctime_ns
        long long st_size

    # In place of os.stat, whose name it has in the source.
    cpdef Status stat "gustnado_stat"(path) except *

cpdef tuple signature_of(status)
cpdef file_signature(path)
cdef _signature_by_python(path)
