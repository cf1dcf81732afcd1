/* The system as the C library shows it. */
#include "platform.h"

#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

void *fl_allocate(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes) != 0) return NULL;
    return memset(memory, 0, bytes);
}

void fl_release(void *memory, size_t bytes) {
    (void)bytes;
    free(memory);
}

void *fl_allocate_for_interpreter(size_t bytes) { return malloc(bytes); }

unsigned long fl_auxiliary(unsigned long type) {
#if defined(__linux__)
    return getauxval(type);
#else
    (void)type;
    return 0;
#endif
}
